"""Cumulative quantities between two companies: which entries count on a day, and where two lists of documents part.

Pure. Nothing is clipped. Quantities are in the contract line's unit.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from portal.core.days import check_document_day
from portal.core.errors import Conflict, Forbidden, Invalid
from portal.core.i18n import N_
from portal.core.states import BOTH, Move, StateTable
from portal.schedules.rules_cumulative import (
    CountBy,
    Cumulative,
    Entry,
    Movement,
    ahead_behind,
    counting,
    cum_received,
    cum_requested,
    cum_shipped,
    in_transit,
    open_requirement,
)
from portal.shipments.model_cumulative import EntryKind, EntryStatus, Figure

ZERO = Decimal(0)
E = EntryStatus

# Whoever proposed may withdraw; the other company alone may agree or decline. What is agreed stands for ever.
ENTRY_STATES = StateTable(
    Move("agree", by=BOTH, source=(E.PROPOSED,), target=E.AGREED),
    Move("decline", by=BOTH, source=(E.PROPOSED,), target=E.DECLINED),
    Move("withdraw", by=BOTH, source=(E.PROPOSED,), target=E.WITHDRAWN),
)


class OwnProposal(Forbidden):
    code = "own-cumulative-proposal"
    text = N_("Your company proposed this, so the other company answers it. You can withdraw it.")


class ForeignProposal(Forbidden):
    code = "foreign-cumulative-proposal"
    text = N_("The other company proposed this. Agree to it or decline it.")


class ProposalWaits(Conflict):
    code = "cumulative-proposal-waits"
    text = N_("Proposal {number} for this part still waits for an answer. Answer or withdraw it first.")


class NothingToCorrect(Invalid):
    code = "nothing-to-correct"
    text = N_("A correction adds or takes away something. Enter a quantity other than zero.")


class SyncAfterExecution(Invalid):
    code = "sync-after-execution"
    text = N_("Documents count again from {sync}, which is after the switch on {execution}. Choose an earlier day.")


class SyncNeeded(Invalid):
    code = "sync-date-needed"
    text = N_("Say from which day documents count again.")


class SyncNotWanted(Invalid):
    code = "sync-date-not-wanted"
    text = N_("An opening figure has no day from which documents count: all of them do. Leave it empty.")


class NothingReported(Invalid):
    code = "nothing-reported"
    text = N_("Report at least one figure or a list of documents.")


class DayAhead(Invalid):
    code = "cumulative-day-ahead"
    text = N_("{day} lies ahead. Figures are of today or of an earlier day.")


class DocumentTwice(Invalid):
    code = "document-twice"
    text = N_("Document {document} is in the list twice. Give it once, with its whole quantity.")


# Figures --------------------------------------------------------------------------------------------------------------


class Agreed(NamedTuple):
    """One agreed entry."""

    kind: EntryKind
    figure: Figure | None
    quantity: Decimal
    sync_date: date | None
    effective_on: date


class Period(NamedTuple):
    """From where a count begins: documents from `since` on, and the figure to begin with."""

    since: date
    base: Decimal = ZERO


class Policy(NamedTuple):
    """What of the counting policy changes figures here."""

    count_by: CountBy = CountBy.RECEIPT
    count_rejected: bool = True


def period_on(entries: Iterable[Agreed], day: date, begin: date) -> Period:
    """The count in force on a day: the newest reset or opening executed by then. begin: where none is.

    Test: an opening figure of 55 without a sync date, then lines of 20 and 30, is 75, then 105.
    """
    found = Period(begin)
    for entry in sorted((e for e in entries if e.kind is not EntryKind.CORRECTION), key=lambda e: e.effective_on):
        if entry.effective_on <= day:
            found = Period(entry.sync_date or found.since, entry.quantity)
    return found


def corrections(entries: Iterable[Agreed], period: Period, day: date) -> dict[Figure, Decimal]:
    """What the corrections inside the count in force add to each figure by the end of a day."""
    sums = dict.fromkeys(Figure, ZERO)
    for entry in entries:
        if entry.figure is not None and period.since <= entry.effective_on <= day:
            sums[entry.figure] += entry.quantity
    return sums


def figures_on(
    lines: Iterable[Entry],
    movements: Iterable[Movement],
    entries: Sequence[Agreed],
    policy: Policy,
    day: date,
    begin: date,
) -> Cumulative:
    """All figures of one contract line at the end of a day.

    lines: what was asked for, by due date. Test: 800 requested and shipped, 760 counted, 40 recorded short: nothing is
    in transit and 40 are open.
    """
    period = period_on(entries, day, begin)
    added = corrections(entries, period, day)
    inside = counting(movements, period.since, policy.count_by)
    counted = [seen for movement in inside if (seen := _seen_on(movement, day)) is not None]
    asked = [entry for entry in lines if entry[0] >= period.since]
    requested = cum_requested(asked, day, period.base) + added[Figure.REQUESTED]
    shipped = cum_shipped(counted, period.base) + added[Figure.SHIPPED]
    received = cum_received(counted, period.base, policy.count_rejected) + added[Figure.RECEIVED]
    short = sum((m.short for m in counted), ZERO)
    rejected = ZERO if policy.count_rejected else sum((m.rejected for m in counted), ZERO)
    on_the_way = in_transit(shipped, received + rejected, short)  # what was refused is not on the way either
    return Cumulative(
        requested,
        shipped,
        received,
        on_the_way,
        open_requirement(requested, received, on_the_way),
        ahead_behind(shipped, requested),
    )


def _seen_on(movement: Movement, day: date) -> Movement | None:
    """A movement as it stood at the end of a day: not yet sent, on the way, or received."""
    if movement.despatched_on > day and (movement.received_on is None or movement.received_on > day):
        return None
    if movement.received_on is not None and movement.received_on > day:
        return Movement(movement.despatched_on, movement.shipped)
    return movement


# Two lists ------------------------------------------------------------------------------------------------------------


class Document(NamedTuple):
    """One delivery as one side's books have it."""

    number: str
    day: date
    quantity: Decimal


class Parting(StrEnum):
    """How two lists differ at their first difference."""

    THERE = "missing_there"  # we have it, the other list does not
    HERE = "missing_here"
    DIFFERS = "differs"  # both have it, with other quantities


class Finding(NamedTuple):
    """The first document that disagrees. difference: theirs less ours."""

    kind: Parting
    number: str
    day: date
    ours: Decimal
    theirs: Decimal
    last_common: str  # the document before it that both have alike; empty: none
    agreed_until: Decimal  # the running total of both up to there
    explains_all: bool  # nothing else is between the two totals

    @property
    def difference(self) -> Decimal:
        return self.theirs - self.ours


def key(number: str) -> str:
    """Numbers as they are compared: case and spaces make no other document."""
    return "".join(number.split()).casefold()


def summed(documents: Iterable[Document]) -> list[Document]:
    """One entry a number with all its quantities: the lines of a note, and what both sides agreed to correct of it."""
    sums: dict[str, Document] = {}
    for one in documents:
        before = sums.get(key(one.number))
        sums[key(one.number)] = before._replace(quantity=before.quantity + one.quantity) if before else one
    return list(sums.values())


def bisect(ours: Sequence[Document], theirs: Sequence[Document]) -> Finding | None:
    """Walk both lists in the order of their days and name the first document that disagrees; None: they are alike.

    A document is found by its number alone: the two sides date it by despatch and by receipt. Ours decides where a
    document stands; one that only they have stands at their own day.
    """
    mine, other = ({key(one.number): one for one in side} for side in (ours, theirs))
    days = {k: (mine.get(k) or other[k]).day for k in [*mine, *other]}
    common, total = "", ZERO
    rest = sum((d.quantity for d in other.values()), ZERO) - sum((d.quantity for d in mine.values()), ZERO)
    for k in sorted(days, key=lambda k: (days[k], k)):
        here, there = mine.get(k), other.get(k)
        left, right = (one.quantity if one else ZERO for one in (here, there))
        if left == right:
            common, total = (here or other[k]).number, total + left
            continue
        kind = Parting.DIFFERS if here and there else Parting.THERE if here else Parting.HERE
        number = here.number if here else there.number if there else ""
        return Finding(kind, number, days[k], left, right, common, total, right - left == rest)
    return None


def check_documents(documents: Iterable[Document]) -> None:
    """Raise DocumentTwice: a list that says a document twice cannot be compared."""
    seen = set[str]()
    for document in documents:
        if key(document.number) in seen:
            raise DocumentTwice(field="documents", document=document.number)
        seen.add(key(document.number))


def shipped_after(ours: Sequence[Document], last: str) -> Decimal | None:
    """Our despatches after the last document that the other side has received. None: we know no such document."""
    numbers = [key(one.number) for one in ours]
    if key(last) not in numbers:
        return None
    return sum((one.quantity for one in ours[numbers.index(key(last)) + 1 :]), ZERO)


def check_reset(kind: EntryKind, sync: date | None, execution: date) -> None:
    """Raise SyncNeeded, SyncNotWanted or SyncAfterExecution."""
    if kind is EntryKind.OPENING and sync is not None:
        raise SyncNotWanted(field="sync_date")
    if kind is EntryKind.RESET and sync is None:
        raise SyncNeeded(field="sync_date")
    if sync is not None and sync > execution:
        raise SyncAfterExecution(field="sync_date", sync=sync, execution=execution)


def check_day(day: date, contract_begins: date, today: date, field: str) -> None:
    """Raise DayAhead, or BeforeContract for a day that cannot be meant."""
    check_not_ahead(day, today, field)
    check_document_day(day, contract_begins, today, field)


def check_not_ahead(day: date, today: date, field: str) -> None:
    """Raise DayAhead: nobody has counted what is still to come."""
    if day > today:
        raise DayAhead(field=field, day=day)
