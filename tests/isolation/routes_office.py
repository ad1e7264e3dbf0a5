"""Pages of the factory's own office: the audit, failed events."""

from portal.core.access import Permission
from tests.isolation.calls import Parts
from tests.isolation.expect import FACTORY, Sight, Spec, asked
from tests.isolation.routes_open import Routes
from tests.isolation.things import contract, dead_letter

P = Permission
AUDITED = Spec(need=P.READ_AUDIT)

ROUTES: Routes = {
    ("GET", "/audit"): Spec(contract, asked(subject="contract_id"), need=P.READ_AUDIT, filters=True),
    ("GET", "/audit/export"): Spec(contract, asked(subject="contract_id"), need=P.READ_AUDIT, filters=True),
    ("GET", "/audit/chain"): AUDITED,
    ("GET", "/jobs"): Spec(need=P.MANAGE_PEOPLE, scope=FACTORY),
    ("POST", "/jobs/try-again"): Spec(
        dead_letter,
        lambda ids: Parts(form={"ids": ids["delivery_id"]}),
        need=P.MANAGE_PEOPLE,
        scope=FACTORY,
        sight=Sight.FACTORY,
        fresh=True,
    ),
    ("GET", "/api/v1/audit"): Spec(
        contract, lambda ids: Parts(query={"subject_id": ids["contract_id"]}), need=P.READ_AUDIT, filters=True
    ),
    ("GET", "/api/v1/audit/chain"): AUDITED,
}
