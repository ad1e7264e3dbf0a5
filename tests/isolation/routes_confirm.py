"""Answers that differ, confirmation by exception, calendars and the grid."""

from typing import Any

from portal.core.access import Permission
from tests.isolation.expect import BUYER, SELLER, Spec, asked, body, form, version
from tests.isolation.routes_open import Routes
from tests.isolation.things import ASKED, contract, delivery, deviating

P = Permission
V1 = "/api/v1"
LINE = "/schedule-lines/{line_id:uuid}"
DECIDES: dict[str, Any] = {"need": P.DECIDE_ANSWERS, "side": BUYER, "fresh": True}

ROUTES: Routes = {
    ("GET", "/answers"): Spec(contract, asked(contract="contract_id"), filters=True),
    ("POST", f"{LINE}/accept-answer"): Spec(deviating, form("version"), **DECIDES),
    ("POST", f"{LINE}/decline-answer"): Spec(deviating, form("version", reason="too late"), **DECIDES),
    ("POST", f"{V1}{LINE}/accept-answer"): Spec(deviating, version, **DECIDES),
    ("POST", f"{V1}{LINE}/decline-answer"): Spec(deviating, body(versioned=True, reason="too late"), **DECIDES),
    ("POST", f"{V1}/schedule-lines/confirm-except"): Spec(
        delivery(ASKED),
        body(contract_id=lambda ids: str(ids["contract_id"])),
        need=P.CONFIRM_LINES, side=SELLER, fresh=True,
    ),
}  # fmt: skip
