"""One contract as its page shows it: what was agreed, how far it is used, who has to act next."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

from litestar.response import Template
from msgspec.structs import replace
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts import service
from portal.contracts.model import Contract, ContractKind, ContractLine, ContractRevision, ContractStatus
from portal.contracts.service_files import files_of
from portal.contracts.service_life import acceptance, digest_of
from portal.contracts.service_signing import Signing, signing
from portal.contracts.service_versions import get_revisions, live
from portal.contracts.words import terms_of_answers, terms_of_trade, validity
from portal.core import clock, i18n
from portal.core.access import Permission
from portal.core.actor import Actor, Direction, Scope
from portal.core.calendars import local_today
from portal.core.db import driver, unit_of_work
from portal.core.errors import PortalError
from portal.core.i18n import N_, Language, _, ngettext
from portal.core.quantities import UNITS, show_quantity
from portal.core.states import Side
from portal.fields.model import Holder
from portal.schedules.reads import Happening, history
from portal.schedules.reads_board import ReleaseRow, releases
from portal.schedules.service_contract import Use, use_of_lines
from portal.schedules.service_terms import calendars
from portal.web.commitments import commitments
from portal.web.contract_facts import file_row, review, value_facts
from portal.web.contract_line_views import Reader, line_view
from portal.web.contract_verbs import VERBS
from portal.web.contract_version_views import amendment_steps, summary
from portal.web.custom_field_views import card, lines_card
from portal.web.errors import status_of
from portal.web.forms import Form
from portal.web.pages import Page, named
from portal.web.paper_views import LANGUAGES, papers
from portal.web.typed import Typed
from portal.web.views import Figure, Moment

S = ContractStatus
TONES: dict[S, str] = {
    S.PROPOSED: "waiting",
    S.COUNTERED: "waiting",
    S.ACCEPTED: "changed",
    S.ACTIVE: "confirmed",
    S.SUSPENDED: "risk",
}
KIND_NAMES: dict[ContractKind, str] = {
    ContractKind.PERIODIC: N_("Periodic order"),
    ContractKind.ANNUAL: N_("Annual agreement"),
    ContractKind.STRATEGIC: N_("Strategic purchasing"),
    ContractKind.LONG_TERM: N_("Long-term cooperation"),
}
DIRECTION_NAMES: dict[Direction, str] = {Direction.SALE: N_("Sale"), Direction.PURCHASE: N_("Purchase")}
SIDE_NAMES: dict[Side, str] = {Side.SELLER: N_("Selling side"), Side.BUYER: N_("Buying side")}
CHANNELS = {
    "page": N_("page"),
    "api": N_("interface"),
    "chat": N_("chat"),
    "file": N_("file"),
    "system": N_("system"),
}
FORMS = ("decline", "suspend", "terminate", "template")  # of the page, each shows what is wrong with its fields
FIELDS = ("reason", "last_day", "name")
HISTORY = 50
ALIKE = 2  # of the same kind in a row stand as they are


async def context(
    session: AsyncSession, actor: Actor, contract_id: UUID, tried: str = "", typed: Typed | None = None
) -> dict[str, Any]:
    """What `contracts/contract.html` shows. tried: the form of this page that was just refused."""
    contract = await service.get_contract(session, actor, contract_id)
    lines = await service.get_lines(session, actor, contract_id)
    prices = await service.get_prices(session, actor, contract_id)
    revisions = await get_revisions(session, contract)
    connection = await driver(session)
    today = local_today(clock.now(), contract.time_zone)
    used = await use_of_lines(connection, actor, contract, today)
    past = await history(connection, actor, contract_id, HISTORY)
    reader = Reader(
        actor,
        contract,
        today,
        await calendars(connection, actor, {line.ship_to_code for line in lines}),
        service.can_edit(contract, actor),
        actor.may(Permission.SEE_PRICES),
    )
    return {
        "contract": contract,
        "actions": service.actions(contract, actor),
        "editable": reader.editable,
        "shows_prices": reader.shows_prices,
        "lines": [line_view(reader, line, prices.get(line.id, []), used.get(line.id)) for line in lines],
        "figures": figures(contract, list(used.values()), today) if contract.release_no or used else (),
        "next_step": next_step(contract, actor, past),
        "seal": await seal(session, actor, contract, revisions),
        "today": today,
        **again(tried, typed or Typed(), service.actions(contract, actor)),
        **await hangs_on(session, actor, contract, lines, revisions, today),
        **await head_words(session, actor, contract, lines, prices),
        "review": await review(session, actor, contract),
        "commitments": await commitments(connection, actor, contract, lines, today),
        "papers": await papers(session, actor, contract),
        "releases": release_rows(await releases(connection, actor, contract_id, limit=8), actor),
        "moments": folded(past, actor.time_zone),
        "can_release": contract.status is S.ACTIVE and actor.may(Permission.PUBLISH_SCHEDULES),
    }


def again(tried: str, typed: Typed, offered: Sequence[str]) -> dict[str, Any]:
    """The forms of the page, the one that was refused as it was typed; and what no field of an offered form shows."""
    shown = FIELDS if tried == "template" or tried in offered else ()
    return {"refusal": typed.refusal(*shown), "tried": dict.fromkeys(FORMS, Typed()) | {tried: typed}}


async def head_words(
    session: AsyncSession, actor: Actor, contract: Contract, lines: Sequence[ContractLine], prices: service.Prices
) -> dict[str, Any]:
    """The contract's head: what it is called, its state, its terms and the factory's note."""
    note = await service.get_note(session, actor, contract.id)
    return {
        "title": contract.title or contract.number,
        "sub": " · ".join(
            filter(None, (contract.party_name if actor.is_factory else "", contract.number if contract.title else ""))
        ),
        "state": (status_name(contract.status), TONES.get(contract.status, "")),
        "facts": [
            *facts(contract, actor, note.reference if note else ""),
            *await value_facts(session, actor, contract, lines, prices),
        ],
        "note": note.note if note else "",
        "release": release_words(contract),
    }


async def hangs_on(
    session: AsyncSession,
    actor: Actor,
    contract: Contract,
    lines: Sequence[ContractLine],
    revisions: Sequence[ContractRevision],
    today: date,
) -> dict[str, Any]:
    """Versions and files, and what this reader can do about them."""
    return {
        "versions": summary(contract, revisions, today),
        "waiting": live(revisions) if contract.status in (S.ACTIVE, S.SUSPENDED) else None,
        "steps": amendment_steps(contract, revisions, actor),
        "fields_card": await card(session, actor, Holder.CONTRACT, contract.id),
        "line_fields": await lines_card(session, actor, lines),
        "files": [file_row(file, actor) for file in await files_of(session, actor, contract.id)],
        "can_attach": service.may_step(actor, "attach"),
        "can_note": actor.is_factory and actor.may(Permission.EDIT_CONTRACTS),
        "signing": await signing(session, actor) if "accept" in service.actions(contract, actor) else Signing.PLAIN,
    }


async def refused_contract(
    actor: Actor, page: Page, contract_id: UUID, error: PortalError, tried: str = "", data: Form | None = None
) -> Template:
    """The contract's page again, with what was refused on it. tried: one of FORMS, with what stood in it."""
    async with unit_of_work(actor) as session:
        found = await context(session, actor, contract_id, tried, Typed(data, error))
    status = status_of(error)
    return page.render("contracts/contract.html", active="contracts", status=status, live="/live", **found)


def status_name(status: S) -> str:
    """The status as a word of its own. Translated by its value, which says the same everywhere."""
    word = _(status.value)
    return word[:1].upper() + word[1:]


def release_words(contract: Contract) -> str:
    """Which release is in force; nothing before the first."""
    if not contract.release_no or contract.released_on is None:
        return ""
    day = i18n.day(contract.released_on, year=True)
    return _("Release {n} · {day}").format(n=contract.release_no, day=day)


def release_rows(rows: Sequence[ReleaseRow], actor: Actor) -> list[tuple[int, str, str]]:
    """(number, when, by whom and how many deliveries) of the newest releases."""
    found = []
    for row in rows:
        count = ngettext("{n} delivery", "{n} deliveries", row.lines).format(n=i18n.number(row.lines))
        said = " · ".join(filter(None, (named(row.published_by), count, row.note)))
        found.append((row.number, i18n.moment(row.published_at, actor.time_zone), said))
    return found


def figures(contract: Contract, used: Sequence[Use], today: date) -> tuple[Figure, ...]:
    """Deliveries of the whole contract are counted, never added up over parts."""
    base = f"/schedules?contract={contract.id}"
    deliveries, still_open = sum(use.deliveries for use in used), sum(use.open for use in used)
    overdue = sum(use.overdue for use in used)
    coming = min((use.next_due for use in used if use.next_due), default=None)
    of_all = _("of {n} called off").format(n=i18n.number(deliveries))
    nothing = _("No open delivery ahead")
    return (
        Figure(_("Deliveries still open"), i18n.number(still_open), of_all, href=f"{base}&view=open"),
        Figure(
            _("Overdue deliveries"),
            i18n.number(overdue),
            _("due by the end of today and not received"),
            warning=overdue > 0,
            href=f"{base}&view=overdue",
        ),
        Figure(
            _("Next delivery"),
            i18n.day(coming) if coming else "–",
            i18n.weekday(coming) if coming else nothing,
            href=f"/contracts/{contract.id}/schedule",
        ),
        end_of(contract, today),
    )


def end_of(contract: Contract, today: date) -> Figure:
    """When the contract ends and how long that is."""
    if contract.valid_to is None:
        return Figure(
            _("Valid until"), _("open end"), _("since {day}").format(day=i18n.day(contract.valid_from, year=True))
        )
    left = (contract.valid_to - today).days
    words = ngettext("{n} day left", "{n} days left", left).format(n=i18n.number(left)) if left >= 0 else _("ended")
    ended = left < 0 and contract.status is S.ACTIVE
    # The year stands apart, because a whole date does not fit a phone's half line.
    year = _("{year}").format(year=contract.valid_to.year)
    return Figure(_("Valid until"), i18n.day(contract.valid_to), words, suffix=year, warning=ended)


def facts(contract: Contract, actor: Actor, reference: str) -> list[tuple[str, str]]:
    """The head of the contract in words; only what is known."""
    side = _(SIDE_NAMES[actor.side_on(contract.direction)])
    hours = ngettext("{n} working hour", "{n} working hours", contract.response_hours).format(n=contract.response_hours)
    known = [
        (_("Number"), contract.number),
        (_("Partner"), contract.party_name if actor.is_factory else ""),
        (_("Partner's reference") if actor.is_factory else _("Your reference"), contract.partner_reference),
        (_("Customer's reference"), reference),
        (_("Your side"), side),
        (_("Kind"), _(KIND_NAMES[contract.kind])),
        (_("Valid"), validity(contract.valid_from, contract.valid_to)),
        (_("Currency"), contract.currency),
        (_("Seller answers within"), hours),
        *terms_of_trade(contract),
        *terms_of_answers(contract),
        (_("Dates are of"), contract.time_zone),
    ]
    return [(label, value) for label, value in known if value]


async def seal(
    session: AsyncSession, actor: Actor, contract: Contract, revisions: Sequence[ContractRevision]
) -> tuple[str, bool] | None:
    """The acceptance's evidence: who, when and over which digest, and whether the content is still the same."""
    found = await acceptance(session, actor, contract, revisions)
    if found is None:
        return None
    words = _("{name} accepted this content on {moment} (SHA-256 {digest}…).").format(
        name=found.member_name, moment=i18n.moment(found.at, actor.time_zone), digest=found.sha256[:16]
    )
    return words, found.sha256 == await digest_of(session, actor, contract, revisions)


def next_step(contract: Contract, actor: Actor, past: Sequence[Happening]) -> str:
    """Who has to act next, in one sentence; nothing when the contract is in force or over."""
    partner, us = contract.party_name, actor.is_factory
    match contract.status:
        case S.DRAFT:
            return drafted(contract, us, past)
        case S.PROPOSED if us:
            return _("{partner} has to answer: accept, counter or decline. Until then the text stands still.").format(
                partner=partner
            )
        case S.PROPOSED:
            return _("This contract was proposed to you. Read it, then accept, counter or decline.")
        case S.COUNTERED if us:
            return _("{partner} sent a counter-offer. Compare it, then accept, counter or decline.").format(
                partner=partner
            )
        case S.COUNTERED:
            return _("Your counter-offer waits for the other company's answer.")
        case S.ACCEPTED if us:
            return _("{partner} has accepted. Put the contract in force to call off deliveries.").format(
                partner=partner
            )
        case S.ACCEPTED:
            return _("Accepted. Deliveries follow once the contract is put in force.")
        case _:
            return ending(contract, past)


def drafted(contract: Contract, us: bool, past: Sequence[Happening]) -> str:
    """Of a draft: that nobody else sees it, or why its proposal was refused."""
    answered = next((entry for entry in past if entry.verb in ("declined", "proposed", "countered")), None)
    if answered is not None and answered.verb == "declined" and contract.proposed_at is not None:
        return refusal_words(contract.party_name, us, answered)
    return _("A draft: {partner} does not see it until you propose it.").format(partner=contract.party_name)


def ending(contract: Contract, past: Sequence[Happening]) -> str:
    """What keeps a contract from going on, in one sentence; nothing while it is simply in force."""
    match contract.status:
        case S.SUSPENDED:
            return _("Nothing new is called off until the contract is resumed. {reason}").format(
                reason=reason_of(past, "suspended")
            )
        case S.ACTIVE if contract.ends_on is not None:
            return _("Terminated: the last day is {day}. {reason}").format(
                day=i18n.day(contract.ends_on, year=True), reason=contract.end_reason
            )
        case S.TERMINATED:
            return _("Terminated. What was called off is still delivered. {reason}").format(reason=contract.end_reason)
        case S.EXPIRED:
            return _("The contract has ended. What was called off is still delivered.")
        case _:
            return ""


def reason_of(past: Sequence[Happening], verb: str) -> str:
    """The reason that was given with the latest such step."""
    return next((str(entry.data.get("reason", "")) for entry in past if entry.verb == verb), "")


def refusal_words(partner: str, us: bool, declined: Happening) -> str:
    """What became of a declined proposal, for either side; the factory may have declined a counter-offer."""
    reason = str(declined.data.get("reason", ""))
    if declined.scope == Scope.FACTORY:
        if us:
            return _("You declined the counter-offer. Change the draft and propose it again, or leave it.")
        return _("The counter-offer was declined. The reason: “{reason}”").format(reason=reason)
    if us:
        return _("{partner} declined. Change the draft and propose it again. The reason: “{reason}”").format(
            partner=partner, reason=reason
        )
    return _("You declined, and the contract went back to its writer. Your reason: “{reason}”").format(reason=reason)


# History -----------------------------------------------------------------------------------------------------------


def moment(entry: Happening, zone: str) -> Moment:
    """One entry of the history in words."""
    data = readable(entry.data)
    text = _(VERBS.get(entry.verb, entry.verb)).format_map(_Known(data))
    notes = [str(entry.data.get("reason", ""))]
    if digest := entry.data.get("sha256"):
        notes.append(f"SHA-256 {str(digest)[:16]}…")
    alone = entry.channel == "system"
    way = "" if alone else _(CHANNELS.get(entry.channel, entry.channel))
    who = _("system") if alone else entry.member_name
    return Moment(text, who, i18n.moment(entry.at, zone), way, " · ".join(filter(None, notes)))


def folded(past: Sequence[Happening], zone: str) -> list[Moment]:
    """The history; where the portal itself did the same again and again, the latest stands for those before it."""
    shown = []
    for (_verb, channel), run in groupby(past, key=lambda entry: (entry.verb, entry.channel)):
        same = [moment(entry, zone) for entry in run]
        if channel == "system" and len(same) > ALIKE:
            shown.append(replace(same[0], earlier=tuple(same[1:])))
        else:
            shown += same
    return shown


def readable(data: Mapping[str, Any]) -> dict[str, Any]:
    """What an entry keeps as plain text, as the reader writes it: quantities, and days that were noted as ISO 8601."""
    known, unit = dict(data), str(data.get("unit", ""))
    for name in known.keys() & {"called", "target", "carried", "missing", "quantity"}:
        known[name] = show_quantity(Decimal(known[name]), unit) if unit in UNITS else i18n.number(Decimal(known[name]))
    if "language" in known:
        known["language"] = LANGUAGES.get(Language(known["language"]), known["language"])
    for name in known.keys() & {"since", "last_day", "effective_from"}:
        known[name] = i18n.day(date.fromisoformat(known[name]), year=True) if known[name] else known[name]
    return known


class _Known(dict[str, Any]):
    """A placeholder that an entry does not know stays empty."""

    def __missing__(self, key: str) -> str:
        return ""
