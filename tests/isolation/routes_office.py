"""The factory's own office: the audit, failed events, reports, imports."""

from portal.core.access import Permission
from tests.isolation.calls import Parts
from tests.isolation.expect import FACTORY, Sight, Spec, asked, form, query
from tests.isolation.routes_open import Routes
from tests.isolation.things import Ids, company, contract, dead_letter, run

P = Permission
AUDITED = Spec(need=P.READ_AUDIT)


def sent_file(ids: Ids) -> Parts:
    """A small file, which only a job opens."""
    return Parts(file=("lines.csv", b"ID\n1\n"))


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
    ("GET", "/reports"): Spec(company, asked(partner="party_id"), sight=Sight.COMPANY, filters=True),
    ("GET", "/reports/export"): Spec(
        company,
        lambda ids: Parts(query={"partner": ids["party_id"], "kind": "csv"}),
        sight=Sight.COMPANY,
        filters=True,
    ),
    ("GET", "/reports/fairness"): Spec(company, asked(partner="party_id"), sight=Sight.COMPANY, filters=True),
    ("GET", "/reports/fairness/export"): Spec(company, asked(partner="party_id"), sight=Sight.COMPANY, filters=True),
    ("GET", "/api/v1/reports/fairness"): Spec(company, query("party_id"), sight=Sight.COMPANY, filters=True),
    ("GET", "/api/v1/reports/deliveries"): Spec(company, query("party_id"), sight=Sight.COMPANY, filters=True),
    ("GET", "/imports"): Spec(need=P.RUN_IMPORTS),
    ("POST", "/imports"): Spec(need=P.RUN_IMPORTS, parts=sent_file),
    ("GET", "/imports/{run_id:uuid}"): Spec(run, need=P.RUN_IMPORTS, sight=Sight.FACTORY),
    ("GET", "/imports/{run_id:uuid}/refused"): Spec(run, need=P.RUN_IMPORTS, sight=Sight.FACTORY),
    ("POST", "/imports/{run_id:uuid}/apply"): Spec(run, form(), need=P.RUN_IMPORTS, sight=Sight.FACTORY, fresh=True),
    ("GET", "/api/v1/imports"): Spec(need=P.RUN_IMPORTS),
    ("POST", "/api/v1/imports"): Spec(need=P.RUN_IMPORTS, parts=sent_file),
    ("GET", "/api/v1/imports/{run_id:uuid}"): Spec(run, need=P.RUN_IMPORTS, sight=Sight.FACTORY),
    ("POST", "/api/v1/imports/{run_id:uuid}/apply"): Spec(run, need=P.RUN_IMPORTS, sight=Sight.FACTORY, fresh=True),
}
