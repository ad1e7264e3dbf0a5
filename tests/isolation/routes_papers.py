"""Documents to take away, and the check of a copy."""

from portal.core.access import Permission
from tests.isolation.calls import Parts
from tests.isolation.expect import Spec, form
from tests.isolation.routes_open import Routes
from tests.isolation.things import Ids, accepted, contract, receipt, sealed, shipment

P = Permission
V1 = "/api/v1"
CONTRACT, RELEASE = "/contracts/{contract_id:uuid}", "/contracts/{contract_id:uuid}/releases/{number:int}/release.pdf"
NOTE = "/shipments/{shipment_id:uuid}/note.pdf"
RECEIPT = "/receipts/{receipt_id:uuid}/receipt.pdf"


def some_file(ids: Ids) -> Parts:
    """A file that is no PDF: a verdict comes for any."""
    return Parts(file=("copy.pdf", b"no PDF"))


PRICED = Spec(sealed, need=P.SEE_PRICES)
ROUTES: Routes = {
    ("GET", f"{CONTRACT}/contract.pdf"): PRICED,
    ("POST", f"{CONTRACT}/seal"): Spec(accepted, form(), need=P.SEE_PRICES, fresh=True),
    ("GET", RELEASE): Spec(contract),
    ("GET", NOTE): Spec(shipment),
    ("GET", RECEIPT): Spec(receipt),
    ("GET", "/verify"): Spec(),
    ("POST", "/verify"): Spec(parts=some_file),
    ("GET", "/verify/certificates.pem"): Spec(),
    ("GET", f"{V1}{CONTRACT}/contract.pdf"): PRICED,
    ("GET", f"{V1}{CONTRACT}/documents"): Spec(sealed),
    ("POST", f"{V1}{CONTRACT}/documents"): Spec(accepted, need=P.SEE_PRICES, fresh=True),
    ("GET", f"{V1}{RELEASE}"): Spec(contract),
    ("GET", f"{V1}{NOTE}"): Spec(shipment),
    ("GET", f"{V1}{RECEIPT}"): Spec(receipt),
    ("POST", f"{V1}/verify"): Spec(parts=some_file),
    ("GET", f"{V1}/seal-certificates"): Spec(),
}
