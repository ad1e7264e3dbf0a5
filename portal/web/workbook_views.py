"""An uploaded workbook of answers or commits in words."""

from portal.core import i18n
from portal.core.i18n import _, ngettext
from portal.sync.model import BookStatus, SheetRun
from portal.sync.service_books import found_of
from portal.sync.sheet_bases import FoundAnswers, FoundCommits
from portal.web.sheet_views import SheetView, view

Crumbs = tuple[tuple[str, str], ...]


def workbook_view(run: SheetRun) -> SheetView:
    """What the page of an upload shows."""
    found = found_of(run)
    waits = run.status == BookStatus.PREVIEWED
    if isinstance(found, FoundAnswers):
        told, changed = _answers(found), _("deliveries answered")
    else:
        told, changed = _commits(found), _("periods to be committed to") if found.waits else _("periods committed to")
    if waits and found.conflicts:
        told.append(_("Decide about what changed since the download."))
    return view(f"/workbooks/{run.id}", run, found, " ".join(told) or _nothing(found, waits), changed)


def crumbs(run: SheetRun) -> Crumbs:
    """Where the upload belongs."""
    found = found_of(run)
    if isinstance(found, FoundCommits):
        return ((_("Forecasts"), "/forecasts"), (found.contract, f"/contracts/{found.contract_id}/forecast"))
    return ((_("Answers"), "/answers"), (_("Workbook"), "/workbooks"))


def _nothing(found: FoundAnswers | FoundCommits, waits: bool) -> str:
    if not waits:
        return _("Nothing was changed.")
    if found.refused:
        return _("No row can be applied. Mend the refused rows and send the workbook again.")
    return _("The workbook says nothing new. There is nothing to apply.")


def _answers(found: FoundAnswers) -> list[str]:
    confirmed = ngettext("Confirmed: {n} delivery.", "Confirmed: {n} deliveries.", found.confirmed)
    rejected = ngettext("Refused: {n} delivery.", "Refused: {n} deliveries.", found.rejected)
    waiting = ngettext(
        "For the buyer to decide, because it differs: {n} answer.",
        "For the buyer to decide, because they differ: {n} answers.",
        found.waiting,
    )
    counted = ((confirmed, found.confirmed), (rejected, found.rejected), (waiting, found.waiting))
    return [text.format(n=i18n.number(n)) for text, n in counted if n]


def _commits(found: FoundCommits) -> list[str]:
    if found.waits:
        return [_("The commit needs a colleague's approval first; the buyer sees nothing of it until then.")]
    if found.number is None:
        return []
    return [_("Commit version {n}, for release {release}.").format(n=found.number, release=found.release_no)]
