"""Versions of a contract in words: which one is in force, which one follows, and how any two differ."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts import service
from portal.contracts.bucket_words import days
from portal.contracts.evidence import USE, Content
from portal.contracts.model import Contract, ContractKind, ContractRevision, ContractStatus, RevisionStatus
from portal.contracts.rules_versions import Change, Difference, differences
from portal.contracts.service_signing import Signing, signing
from portal.contracts.service_versions import (
    agreed,
    content_of,
    current,
    get_revision,
    get_revisions,
    in_present_form,
    live,
)
from portal.contracts.use_words import USE_LABELS, use_word
from portal.contracts.words import ANSWER_CHOICES, ANSWER_LABELS, ANSWER_WORDS, NO_PACK, show_price
from portal.core import clock, i18n
from portal.core.access import Permission
from portal.core.actor import Actor, Scope
from portal.core.calendars import local_today
from portal.core.errors import PortalError
from portal.core.i18n import N_, _
from portal.core.quantities import show_quantity
from portal.web.forms import Form
from portal.web.typed import Typed

LABELS: dict[str, str] = {
    "kind": N_("Kind"),
    "title": N_("Title"),
    "partner_reference": N_("Partner's reference"),
    "valid_from": N_("Valid from"),
    "valid_to": N_("Last day"),
    "time_zone": N_("Time zone of its dates"),
    "response_hours": N_("Working hours for an answer"),
    "incoterm": N_("Incoterm"),
    "incoterm_place": N_("Named place"),
    "payment_terms": N_("Payment terms"),
    "take_or_pay_percent": N_("Take-or-pay, in % of the target"),
    "penalty_percent": N_("Penalty per day late, in %"),
    "penalty_cap_percent": N_("Cap on penalties, in %"),
    "notice_days": N_("Notice before the end, in days"),
    **ANSWER_LABELS,
    **USE_LABELS,
    "description": N_("Description"),
    "revision": N_("Revision"),
    "partner_part_no": N_("Partner's part number"),
    "foq": N_("Fixed order quantity"),
    "cadence": N_("Period"),
    "target_quantity": N_("Target quantity"),
    "take_or_pay_quantity": N_("Take-or-pay quantity"),
    "band_below_percent": N_("Band below, in %"),
    "band_above_percent": N_("Band above, in %"),
    "pack_size": N_("Pack size"),
    "minimum_order": N_("Minimum order quantity"),
    "under_percent": N_("Under-delivery, in %"),
    "over_percent": N_("Over-delivery, in %"),
    "firm_days": N_("Firm, in days"),
    "tradeoff_days": N_("Trade-off, in days"),
    "day_unit": N_("Counted in"),
    "delivery_weekdays": N_("Delivery weekdays"),
    "ship_to_code": N_("Ship to"),
    "ship_to_country": N_("Country"),
    "ship_to_address": N_("Address"),
    "unloading_point": N_("Gate or dock"),
    "receiving_window": N_("Receiving window"),
    "cumulative_from": N_("Cumulative from"),
    "line": N_("The whole line"),
    "price": N_("Price"),
    "period": N_("Period"),
}
QUANTITIES = {"foq", "target_quantity", "take_or_pay_quantity", "pack_size", "minimum_order"}
DAYS = {"valid_from", "valid_to", "cumulative_from"}
WORDS = {"cadence", "day_unit", *ANSWER_CHOICES}
NUMBERS = {"response_hours", "notice_days", "firm_days", "tradeoff_days", "early_days", "late_days", "transit_days"}
NOTHING = "–"
A_MONDAY = date(2024, 1, 1)
STATES: dict[RevisionStatus, str] = {
    RevisionStatus.PROPOSED: N_("Waits for an answer"),
    RevisionStatus.REPLACED: N_("Answered with a counter-offer"),
    RevisionStatus.DECLINED: N_("Declined"),
    RevisionStatus.WITHDRAWN: N_("Withdrawn"),
    RevisionStatus.AGREED: N_("Agreed by both"),
}
PROOFS = {
    "code": N_("Signed in with password and one-time code."),
    "recovery_code": N_("Signed in with password and recovery code."),
}
TONES = {RevisionStatus.PROPOSED: "waiting", RevisionStatus.AGREED: "confirmed"}


class Row(Struct, frozen=True):
    """One term of two versions, side by side, and the same as a sentence."""

    term: str
    before: str
    after: str
    text: str


class VersionRow(Struct, frozen=True):
    """One offer or version in the list of them."""

    number: int
    state: str
    tone: str
    since: str
    offered: str
    answered: str
    evidence: str
    note: str
    sha256: str


def kind_name(value: str) -> str:
    """The kind as pages call it; translated by its value."""
    word = _(ContractKind(value).value)
    return word[:1].upper() + word[1:]


# How two versions differ ---------------------------------------------------------------------------------------------


def compared(old: Content, new: Content, *, shows_prices: bool) -> list[Row]:
    """Every term that two contents say differently; prices only for those who may see them."""
    currency = new.get("currency", "")
    found = differences(old, new)
    return [row(entry, currency) for entry in found if shows_prices or entry.field != "price"]


def row(entry: Difference, currency: str) -> Row:
    """One difference as columns and as a sentence."""
    term = _(LABELS.get(entry.field, entry.field))
    if entry.field == "price" and entry.day is not None:
        term = _("Price from {day} on").format(day=i18n.day(entry.day, year=True))
    if entry.field == "period":
        said = entry.after or entry.before
        term = _("Period {days}").format(
            days=days(*(date.fromisoformat(said[name]) for name in ("start", "end")), year=True)
        )
    if entry.line_no is not None:
        term = _("Line {n} · {part}: {term}").format(n=entry.line_no, part=entry.item_code, term=term)
    before, after = shown(entry, entry.before, currency), shown(entry, entry.after, currency)
    return Row(term, before, after, sentence(entry.change, term, before, after))


def sentence(change: Change, term: str, before: str, after: str) -> str:
    """The difference as one sentence."""
    if change is Change.ADDED or before == NOTHING:
        return _("{term} is new: {after}.").format(term=term, after=after)
    if change is Change.ENDED or after == NOTHING:
        return _("{term} is gone; it was {before}.").format(term=term, before=before)
    return _("{term} changes from {before} to {after}.").format(term=term, before=before, after=after)


def shown(entry: Difference, value: Any, currency: str) -> str:
    """One side of a difference as the reader writes such values."""
    if value in (None, "", []) or (entry.field == "pack_size" and Decimal(value) == NO_PACK):
        return NOTHING
    match entry.field:
        case "line":
            return line_words(value)
        case "price":
            return price_words(value, entry.unit, currency)
        case "period":
            return period_words(value, entry.unit)
        case _:
            return value_words(entry.field, value, entry.unit)


def value_words(name: str, value: Any, unit: str) -> str:
    """The value of one field."""
    if name in USE:
        return use_word(name, value)
    if name in QUANTITIES:
        return show_quantity(Decimal(value), unit)
    if name in DAYS:
        return i18n.day(date.fromisoformat(value), year=True)
    if name == "delivery_weekdays":
        return _(", ").join(i18n.weekday(A_MONDAY.replace(day=1 + n)) for n in value)
    if name == "kind":
        return kind_name(value)
    if name.endswith("_percent"):
        return i18n.number(Decimal(value)) + "%"
    if name in NUMBERS:
        return i18n.number(int(value))
    return _(ANSWER_WORDS.get(value, str(value))) if name in WORDS else str(value)


def line_words(line: Content) -> str:
    """A line that one of the versions does not have: what and how much."""
    amount = line["foq"] or line["target_quantity"]
    words = f"{line['description']}"
    return f"{words} · {show_quantity(Decimal(amount), line['unit'])}" if amount else words


def period_words(period: Content, unit: str) -> str:
    """12,000 pcs, 9,600 to 14,400."""
    low, target, high = (Decimal(period[name]) for name in ("floor", "target", "ceiling"))
    return _("{target}, {low} to {high}").format(
        target=show_quantity(target, unit), low=i18n.number(low), high=i18n.number(high)
    )


def price_words(price: Content, unit: str, currency: str) -> str:
    """CNY 12.50 per 100, from 1,000 pcs on, for one order only."""
    words = show_price(Decimal(price["price"]), currency)
    if Decimal(price["price_unit"]) != 1:
        words += " " + _("per {quantity}").format(quantity=i18n.number(Decimal(price["price_unit"])))
    if step := price.get("from_quantity"):
        words += " · " + _("from {quantity} on").format(quantity=show_quantity(Decimal(step), unit))
    if price["order_no"]:
        words += " · " + _("order {number} only").format(number=price["order_no"])
    return words


# The page of versions ------------------------------------------------------------------------------------------------


async def context(
    session: AsyncSession,
    actor: Actor,
    contract_id: UUID,
    before: int | None = None,
    after: int | None = None,
    refusal: PortalError | None = None,
    declining: Form | None = None,
    *,
    factory_name: str,
) -> dict[str, Any]:
    """What `contracts/versions.html` shows: all offers, and two of them side by side. refusal: of what was tried.

    declining: what stood in the dialog that was refused."""
    contract = await service.get_contract(session, actor, contract_id)
    revisions = await get_revisions(session, contract)
    new = await get_revision(session, contract, after) if after else next(iter(revisions), None)
    old = await _older(session, contract, revisions, new, before)
    today = local_today(clock.now(), contract.time_zone)
    rows: list[Row] = []
    if old is not None and new is not None:
        rows = compared(old.content, new.content, shows_prices=actor.may(Permission.SEE_PRICES))
    steps = amendment_steps(contract, revisions, actor)
    declined = Typed(declining, refusal) if declining is not None else Typed()
    return {
        "contract": contract,
        "versions": [version_row(revision, contract, actor, factory_name) for revision in revisions],
        "rows": rows,
        "before": old,
        "after": new,
        "choices": [(str(revision.number), choice(revision)) for revision in revisions],
        "summary": summary(contract, revisions, today),
        "waiting": live(revisions),
        "steps": steps,
        "signing": await signing(session, actor) if "accept" in steps else Signing.PLAIN,
        "declined": declined,
        "refusal": declined.refusal("reason") if declining is not None and "accept" in steps else str(refusal or ""),
    }


async def _older(
    session: AsyncSession,
    contract: Contract,
    revisions: Sequence[ContractRevision],
    new: ContractRevision | None,
    before: int | None,
) -> ContractRevision | None:
    """The version to compare with: the one asked for, else the one that the newer one changes."""
    if before:
        return await get_revision(session, contract, before)
    if new is None or new.based_on is None:
        return None
    return next((revision for revision in revisions if revision.number == new.based_on), None)


def choice(revision: ContractRevision) -> str:
    """2 · 1 Jan 2027: short enough for two fields side by side on a phone."""
    return f"{revision.number} · {i18n.day(revision.effective_from, year=True)}"


def version_row(revision: ContractRevision, contract: Contract, actor: Actor, factory_name: str) -> VersionRow:
    """One offer: whose, since when, what became of it, and the evidence of its acceptance."""
    zone = actor.time_zone
    answered = ""
    if revision.answered_at is not None and revision.answered_name:
        answered = f"{revision.answered_name} · {i18n.moment(revision.answered_at, zone)}"
    evidence = ""
    if revision.status is RevisionStatus.AGREED and revision.answered_from:
        evidence = _("From network address {address}.").format(address=revision.answered_from)
    if revision.status is RevisionStatus.AGREED and revision.answered_with in PROOFS:
        evidence += ("" if i18n.language.get() is i18n.Language.ZH or not evidence else " ") + _(
            PROOFS[revision.answered_with]
        )
    company = factory_name if revision.offered_scope == Scope.FACTORY else contract.party_name
    who = " · ".join(filter(None, (company, revision.offered_name, i18n.moment(revision.offered_at, zone))))
    return VersionRow(
        revision.number,
        _(STATES[revision.status]),
        TONES.get(revision.status, ""),
        i18n.day(revision.effective_from, year=True),
        who,
        answered,
        evidence,
        " · ".join(filter(None, (revision.note, revision.reason))),
        revision.sha256,
    )


def _standing(contract: Contract, version: ContractRevision, today: date) -> str:
    """What a version is on a day; one that both agreed on is in force only once the contract is."""
    if contract.status is ContractStatus.ACCEPTED:
        return _("Version {n} is agreed from {day} on.")
    return (
        _("Version {n} is in force since {day}.")
        if version.effective_from <= today
        else _("Version {n} begins on {day}.")
    )


def summary(contract: Contract, revisions: Sequence[ContractRevision], today: date) -> str:
    """Which version is in force, which follows on which day, which one waits; one sentence each."""
    found = current(revisions, today)
    said = []
    if found is not None:
        day = i18n.day(found.effective_from, year=True)
        said.append(_standing(contract, found, today).format(n=found.number, day=day))
    for version in reversed(agreed(revisions)):
        if found is not None and version.effective_from > today and version.number != found.number:
            day = i18n.day(version.effective_from, year=True)
            said.append(_("Version {n} follows on {day}.").format(n=version.number, day=day))
    waiting = live(revisions)
    if waiting is not None and found is not None:
        day = i18n.day(waiting.effective_from, year=True)
        said.append(
            _("Version {n} is offered from {day} on and waits for an answer.").format(n=waiting.number, day=day)
        )
    return ("" if i18n.language.get() is i18n.Language.ZH else " ").join(said)


def amendment_steps(contract: Contract, revisions: Sequence[ContractRevision], actor: Actor) -> list[str]:
    """What this reader can do about amendments: offer one, or answer the one that waits."""
    waiting = live(revisions)
    if "amend" not in service.actions(contract, actor):
        return []
    if waiting is None:
        return ["amend"]
    ours = waiting.offered_scope == actor.scope.value
    return ["withdraw"] if ours else ["accept", "counter", "decline"]


async def offer_base(session: AsyncSession, actor: Actor, contract: Contract) -> Content:
    """What an offer of this reader changes: the live offer, else the version agreed last, else the rows."""
    revisions = await get_revisions(session, contract)
    found = live(revisions) or next(iter(agreed(revisions)), None)
    if found is None:
        return await content_of(session, actor, contract)
    return await in_present_form(session, actor, contract, found.content)
