"""Every address that shows a page, and with which reader it is opened. A route that is not listed here fails."""

from dataclasses import dataclass

from litestar import Litestar
from litestar.routes import HTTPRoute


@dataclass(frozen=True, slots=True)
class Shown:
    """One page: its path with ids to fill in, who looks, the answer it gives."""

    path: str
    who: str = "factory"
    status: int = 200


# By the route; the first of each is looked at in every language and width, all of them by the other rules.
PAGES: dict[str, tuple[Shown, ...]] = {
    "/": (Shown("/"), Shown("/", "customer"), Shown("/", "supplier")),
    "/answers": (Shown("/answers"), Shown("/answers", "customer"), Shown("/answers", "supplier")),
    "/api/docs": (Shown("/api/docs"),),
    "/app": (Shown("/app", ""),),
    "/approvals": (Shown("/approvals"), Shown("/approvals?view=asked")),
    "/approvals/{case_id}": (Shown("/approvals/{case_id}"),),
    "/audit": (Shown("/audit"),),
    "/audit/chain": (Shown("/audit/chain"),),
    "/changes": (Shown("/changes?view=all"), Shown("/changes", "customer")),
    "/changes/new": (Shown("/changes/new?line={line_id}"), Shown("/changes/new?contract={contract_id}", "customer")),
    "/changes/not-in-erp": (Shown("/changes/not-in-erp"),),
    "/changes/{change_id}": (Shown("/changes/{change_id}"), Shown("/changes/{change_id}", "customer")),
    "/changes/{change_id}/counter": (Shown("/changes/{change_id}/counter"),),
    "/chat": (Shown("/chat"), Shown("/chat", "customer")),
    "/companies": (Shown("/companies"),),
    "/contracts": (Shown("/contracts"), Shown("/contracts", "customer")),
    "/contracts/sheets": (Shown("/contracts/sheets"),),
    "/contracts/sheets/{run_id}": (Shown("/contracts/sheets/{sheet_run}"), Shown("/contracts/sheets/{sheet_done}")),
    "/contracts/new": (Shown("/contracts/new"),),
    "/contracts/{contract_id}": (
        Shown("/contracts/{contract_id}"),
        Shown("/contracts/{draft_id}"),
        Shown("/contracts/{proposed_id}", "customer"),
        Shown("/contracts/{amended_id}", "customer"),
        Shown("/contracts/{countered_id}"),
    ),
    "/contracts/{contract_id}/amend": (Shown("/contracts/{contract_id}/amend"),),
    "/contracts/{contract_id}/amendment/counter": (Shown("/contracts/{amended_id}/amendment/counter", "customer"),),
    "/contracts/{contract_id}/counter": (Shown("/contracts/{proposed_id}/counter", "customer"),),
    "/contracts/{contract_id}/note": (Shown("/contracts/{contract_id}/note"),),
    "/contracts/{contract_id}/versions": (
        Shown("/contracts/{amended_id}/versions"),
        Shown("/contracts/{amended_id}/versions", "customer"),
        Shown("/contracts/{countered_id}/versions"),
        Shown("/contracts/{draft_id}/versions"),
    ),
    "/contracts/portfolio": (Shown("/contracts/portfolio"), Shown("/contracts/portfolio?by=end")),
    "/contracts/rates": (Shown("/contracts/rates"),),
    "/contracts/templates": (Shown("/contracts/templates"),),
    "/contracts/templates/{template_id}": (Shown("/contracts/templates/{template_id}"),),
    "/contracts/use": (Shown("/contracts/use"), Shown("/contracts/use?only=risk", "customer")),
    "/contracts/{contract_id}/drafts": (Shown("/contracts/{purchase_id}/drafts"),),
    "/contracts/{contract_id}/edit": (Shown("/contracts/{draft_id}/edit"),),
    "/contracts/{contract_id}/cumulative": (
        Shown("/contracts/{contract_id}/cumulative"),
        Shown("/contracts/{purchase_id}/cumulative", "supplier"),
    ),
    "/contracts/{contract_id}/cumulative/{line_id}/reset": (
        Shown("/contracts/{contract_id}/cumulative/{contract_line_id}/reset?sync_date=2026-01-01"),
    ),
    "/contracts/{contract_id}/forecast": (
        Shown("/contracts/{purchase_id}/forecast", "supplier"),
        Shown("/contracts/{contract_id}/forecast"),
        Shown("/contracts/{purchase_id}/forecast?span=month&weeks=52"),
    ),
    "/contracts/{contract_id}/forecast/terms": (Shown("/contracts/{purchase_id}/forecast/terms"),),
    "/contracts/{contract_id}/invoices": (
        Shown("/contracts/{opened_id}/invoices"),
        Shown("/contracts/{opened_id}/invoices", "customer"),
    ),
    "/contracts/{contract_id}/ledger": (
        Shown("/contracts/{contract_id}/ledger"),
        Shown("/contracts/{contract_id}/ledger", "customer"),
        Shown("/contracts/{draft_id}/ledger"),
    ),
    "/contracts/{contract_id}/ledger/lines/{line_id}": (Shown("/contracts/{draft_id}/ledger/lines/{draft_line_id}"),),
    "/contracts/{contract_id}/ledger/targets": (Shown("/contracts/{draft_id}/ledger/targets"),),
    "/contracts/{contract_id}/ledger/terms": (Shown("/contracts/{draft_id}/ledger/terms"),),
    "/contracts/{contract_id}/ledger/{bucket_id}": (
        Shown("/contracts/{contract_id}/ledger/{bucket_id}"),
        Shown("/contracts/{contract_id}/ledger/{bucket_id}?number=called", "customer"),
    ),
    "/contracts/{contract_id}/penalties": (Shown("/contracts/{contract_id}/penalties", "customer"),),
    "/contracts/{contract_id}/lines/new": (Shown("/contracts/{draft_id}/lines/new"),),
    "/contracts/{contract_id}/lines/{line_id}": (Shown("/contracts/{draft_id}/lines/{draft_line_id}"),),
    "/contracts/{contract_id}/opening": (
        Shown("/contracts/{opened_id}/opening"),
        Shown("/contracts/{opened_id}/opening", "customer"),
        Shown("/contracts/{contract_id}/opening"),
    ),
    "/contracts/{contract_id}/exposure": (
        Shown("/contracts/{contract_id}/exposure"),
        Shown("/contracts/{contract_id}/exposure", "customer"),
    ),
    "/contracts/{contract_id}/known": (Shown("/contracts/{contract_id}/known"),),
    "/contracts/{contract_id}/release-plan": (Shown("/contracts/{purchase_id}/release-plan"),),
    "/contracts/{contract_id}/releases": (Shown("/contracts/{contract_id}/releases"),),
    "/contracts/{contract_id}/releases/check": (Shown("/contracts/{contract_id}/releases/check"),),
    "/contracts/{contract_id}/releases/{number}": (
        Shown("/contracts/{contract_id}/releases/{number}"),
        Shown("/contracts/{contract_id}/releases/{number}", "customer"),
    ),
    "/contracts/{contract_id}/schedule": (
        Shown("/contracts/{contract_id}/schedule"),
        Shown("/contracts/{contract_id}/schedule?view=to_confirm"),
        Shown("/contracts/{contract_id}/schedule", "customer"),
        Shown("/contracts/{purchase_id}/schedule", "supplier"),
    ),
    "/contracts/{contract_id}/schedule/grid": (
        Shown("/contracts/{contract_id}/schedule/grid"),
        Shown("/contracts/{purchase_id}/schedule/grid?by=day"),
    ),
    "/forecasts": (Shown("/forecasts"), Shown("/forecasts?kind=late", "supplier")),
    "/forgotten": (Shown("/forgotten", ""),),
    "/imports": (Shown("/imports"),),
    "/imports/{run_id}": (Shown("/imports/{run_id}"), Shown("/imports/{refused_run}")),
    "/imports/own": (Shown("/imports/own"),),
    "/imports/own/{run_id}": (
        Shown("/imports/own/{own_run}"),
        Shown("/imports/own/{own_tried}"),
        Shown("/imports/own/{own_done}"),
    ),
    "/invitations/{token}": (Shown("/invitations/{invitation}", ""),),
    "/fields": (Shown("/fields"),),
    "/fields/{field_id}": (Shown("/fields/{field_id}"),),
    "/fields/{holder}/{holder_id}": (Shown("/fields/item/{item_id}"),),
    "/items": (Shown("/items"),),
    "/items/new": (Shown("/items/new"),),
    "/items/{item_id}": (Shown("/items/{item_id}"),),
    "/jobs": (Shown("/jobs"),),
    "/keys": (Shown("/keys"),),
    "/messages": (Shown("/messages"), Shown("/messages", "supplier")),
    "/new-password/{token}": (Shown("/new-password/{password_link}", ""), Shown("/new-password/none", "", 404)),
    "/partners": (Shown("/partners"),),
    "/partners/new": (Shown("/partners/new"),),
    "/partners/{party_id}": (Shown("/partners/{party_id}"),),
    "/people": (Shown("/people"),),
    "/people/{member_id}": (Shown("/people/{member_id}"),),
    "/profile": (Shown("/profile"),),
    "/profile/calendars": (Shown("/profile/calendars"),),
    "/profile/chat": (Shown("/profile/chat"), Shown("/profile/chat", "customer")),
    "/profile/second-factor": (Shown("/profile/second-factor?next=/contracts"),),
    "/profile/second-factor/set-up": (Shown("/profile/second-factor/set-up"),),
    "/profile/notifications": (Shown("/profile/notifications"), Shown("/profile/notifications", "customer")),
    "/receipts": (Shown("/receipts"), Shown("/receipts", "customer")),
    "/receipts/new": (Shown("/receipts/new?shipment={shipment_id}", "customer"),),
    "/receipts/{receipt_id}": (Shown("/receipts/{receipt_id}", "customer"),),
    "/receipts/{receipt_id}/correct": (Shown("/receipts/{receipt_id}/correct", "customer"),),
    "/reports": (Shown("/reports"), Shown("/reports", "supplier")),
    "/reports/fairness": (Shown("/reports/fairness"), Shown("/reports/fairness", "supplier")),
    "/reports/stability": (Shown("/reports/stability"), Shown("/reports/stability?source=history", "supplier")),
    "/rules": (Shown("/rules"),),
    "/rules/{point}": (Shown("/rules/change"), Shown("/rules/statement")),
    "/rules/{point}/rule": (
        Shown("/rules/change/rule?no=1"),
        Shown("/rules/change/rule"),
        Shown("/rules/change/rule?no=otherwise"),
    ),
    "/rules/{point}/trial": (Shown("/rules/change/trial"),),
    "/scan": (Shown("/scan", "customer"),),
    "/schedule-lines/{line_id}": (
        Shown("/schedule-lines/{line_id}"),
        Shown("/schedule-lines/{confirmed_line}", "customer"),
    ),
    "/schedules": (Shown("/schedules"), Shown("/schedules?q=nothing-like-this"), Shown("/schedules", "supplier")),
    "/schedules/board": (Shown("/schedules/board"),),
    "/shipments": (Shown("/shipments"),),
    "/shipments/new": (Shown("/shipments/new?contract={contract_id}"), Shown("/shipments/new")),
    "/shipments/{shipment_id}": (Shown("/shipments/{shipment_id}"), Shown("/shipments/{shipment_id}", "customer")),
    "/shipments/{shipment_id}/note": (Shown("/shipments/{shipment_id}/note"),),
    "/sign-in": (Shown("/sign-in", ""),),
    "/sign-in/code": (Shown("/sign-in/code", "half-way"),),
    "/verify": (Shown("/verify"), Shown("/verify", "supplier")),
    "/sites": (Shown("/sites"),),
    "/sites/new": (Shown("/sites/new"),),
    "/sites/{site_id}": (Shown("/sites/{site_id}"),),
    "/workbooks": (Shown("/workbooks"), Shown("/workbooks", "supplier")),
    "/workbooks/{run_id}": (Shown("/workbooks/{book_run}", "supplier"), Shown("/workbooks/{book_done}", "supplier")),
}
# Refusals are pages too; they have no route of their own.
REFUSALS = (
    Shown("/no-such-page", "factory", 404),
    Shown("/no-such-page", "", 404),
    Shown("/contracts/{contract_id}/drafts", "customer", 403),
    Shown("/contracts/{purchase_id}/schedule", "customer", 404),
    Shown("/schedules?cursor=nonsense", "factory", 422),
)
# Answers without a page: files, fragments, streams, and addresses that only lead elsewhere.
NO_PAGE = {
    "/answers/workbook": "file",
    "/api": "leads to the documentation",
    "/api/openapi.json": "file",
    "/audit/export": "file",
    "/calendar/{name}": "file",
    "/changes/not-in-erp/export": "file",
    "/changes/{change_id}/files/{file_id}": "file",
    "/chat/live": "stream",
    "/chat/log": "fragment",
    "/chat/photos/{digest}": "file",
    "/contracts/export": "file",
    "/contracts/sheets/{run_id}/rest": "file",
    "/contracts/workbook": "file",
    "/contracts/{contract_id}/forecast/export": "file",
    "/contracts/{contract_id}/forecast/workbook": "file",
    "/contracts/{contract_id}/files/{file_id}": "file",
    "/contracts/{contract_id}/contract.pdf": "file",
    "/contracts/{contract_id}/releases/{number}/export": "file",
    "/contracts/{contract_id}/releases/{number}/release.pdf": "file",
    "/contracts/zones": "fragment",
    "/counts": "fragment",
    "/healthz": "file",
    "/imports/own/{run_id}/rest": "file",
    "/imports/{run_id}/refused": "file",
    "/items/options": "fragment",
    "/line-reports/{report_id}/photos/{photo_id}": "file",
    "/live": "stream",
    "/manifest.webmanifest": "file",
    "/messages/export": "file",
    "/photos/{photo_id}": "file",
    "/r/{token}": "leads to a receipt",
    "/readyz": "file",
    "/receipts/{receipt_id}/receipt.pdf": "file",
    "/reports/export": "file",
    "/reports/fairness/export": "file",
    "/reports/stability/export": "file",
    "/schedules/export": "file",
    "/rules/{point}/file": "file",
    "/search": "leads to a list",
    "/shipments/{shipment_id}/code.svg": "file",
    "/shipments/{shipment_id}/note.pdf": "file",
    "/verify/certificates.pem": "file",
    "/static/{name}": "file",
    "/sw.js": "file",
    "/workbooks/{run_id}/rest": "file",
}


def get_routes(app: Litestar) -> set[str]:
    """The path of every route that answers GET, outside the interface for programs."""
    return {
        route.path_format
        for route in app.routes
        if isinstance(route, HTTPRoute) and "GET" in route.methods and not route.path_format.startswith("/api/v1")
    }


def looked_at() -> list[Shown]:
    """All pages, in a steady order."""
    return [shown for pages in PAGES.values() for shown in pages] + list(REFUSALS)
