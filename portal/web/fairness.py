"""The fairness board: how steady the buyer's plan was beside how the seller kept its word."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.response import Template

from portal.core import clock, i18n
from portal.core.actor import Actor, Direction
from portal.core.calendars import local_today
from portal.core.db import read
from portal.core.i18n import N_, _
from portal.parameters import FromQuery
from portal.scorecards import reads
from portal.scorecards.reads_fairness import DEFINITIONS, Asked, Fairness, asked_of, fairness
from portal.web import tables
from portal.web.addresses import address
from portal.web.pages import Page
from portal.web.views import Column, Figure, ListView, Row

PATH = "/reports/fairness"


def typed(today: date, since: str, until: str, partner: str, direction: str) -> Asked:
    """The address's parts. Raises Invalid for what is no day, direction or company."""
    try:
        first, last = (date.fromisoformat(text) if text else None for text in (since, until))
        side = Direction(direction) if direction else None
        return asked_of(today, first, last, UUID(partner) if partner else None, side)
    except ValueError as error:
        raise reads.BadSelection(field="since") from error


@get(PATH)
async def board(
    actor: NamedDependency[Actor], page: NamedDependency[Page], since: FromQuery[str] = "",
    until: FromQuery[str] = "", partner: FromQuery[str] = "", direction: FromQuery[str] = "",
) -> Template:  # fmt: skip
    """The buyer's figures beside the seller's, for every pair or for one."""
    today = local_today(clock.now(), actor.time_zone)
    asked = typed(today, since, until, partner, direction)
    async with read(actor) as connection:
        pairs = await fairness(connection, actor, asked, today)
        partners = await reads.partners(connection, actor) if actor.is_factory else []
    return page.render("reports/fairness.html", active="reports", **_context(actor, asked, pairs, partners))


@get(f"{PATH}/export")
async def board_export(
    actor: NamedDependency[Actor], since: FromQuery[str] = "", until: FromQuery[str] = "",
    partner: FromQuery[str] = "", direction: FromQuery[str] = "", kind: FromQuery[str] = "xlsx",
) -> Response[bytes]:  # fmt: skip
    """The same rows as XLSX or CSV; rates are shares of 1."""
    today = local_today(clock.now(), actor.time_zone)
    asked = typed(today, since, until, partner, direction)
    async with read(actor) as connection:
        pairs = await fairness(connection, actor, asked, today)
    head = [column.label for column in _columns()]
    return tables.file(f"fairness-{asked.until.isoformat()}", kind, head, [_plain(pair) for pair in pairs])


def _plain(pair: Fairness) -> tuple[Any, ...]:
    """The cells of a file: numbers stay numbers."""
    return (
        *(pair.party_name, _(pair.direction.value.capitalize()), pair.plan.pairs, pair.stability, pair.changed_firm),
        *(pair.notice_days, pair.inside_rate, pair.kept_rate, pair.word.response_hours, pair.answers_per_line),
    )


def _export(asked: Asked, kind: str) -> str:
    chosen = {"since": asked.since, "until": asked.until, "partner": asked.party_id, "direction": asked.direction}
    return address(f"{PATH}/export", chosen | {"kind": kind})


def _context(actor: Actor, asked: Asked, pairs: list[Fairness], partners: list[tuple[str, str]]) -> dict[str, Any]:
    one = pairs[0] if len(pairs) == 1 else None
    days = _("{first} to {last}").format(first=i18n.day(asked.since, year=True), last=i18n.day(asked.until, year=True))
    return {
        "list": ListView(
            title=_("Fairness board"),
            columns=tuple(_columns()),
            rows=[Row(_cells(pair, actor), _href(asked, pair)) for pair in pairs],
            empty=_("Nothing was released, asked for or promised in this time."),
            sub=days,
            crumbs=((_("Reports"), "/reports"),),
        ),
        "asked": asked,
        "pair": one,
        "whose": _pair_name(one, actor) if one else "",
        "buyer": buyer_figures(one) if one else (),
        "seller": seller_figures(one) if one else (),
        "definitions": [(_(label), _(DEFINITIONS[name])) for name, label in LABELS.items()],
        "partners": [("", _("All partners")), *partners],
        "directions": [("", _("Both directions")), ("sale", _("Sale")), ("purchase", _("Purchase"))],
        "xlsx": _export(asked, "xlsx"),
        "csv": _export(asked, "csv"),
        "actor": actor,
    }


LABELS: dict[str, str] = {
    "stability": N_("Schedule stability"),
    "changed_firm": N_("Firm deliveries changed"),
    "notice_days": N_("Notice of a change"),
    "inside": N_("Changes inside the band"),
    "promises": N_("First promise kept"),
    "response": N_("Time to answer"),
    "answers": N_("Answers for each delivery"),
}


def buyer_figures(pair: Fairness) -> tuple[Figure, ...]:
    """How steady the plan was; under every figure its definition."""
    word = pair.word
    requests = _("{n} of {all}").format(n=i18n.number(word.inside), all=i18n.number(word.requests))
    return (
        _figure("stability", i18n.rate(pair.stability)),
        _figure("changed_firm", _count(pair.changed_firm)),
        _figure("notice_days", *_amount(pair.notice_days, _("days"))),
        _figure("inside", requests if word.requests else "–"),
    )


def seller_figures(pair: Fairness) -> tuple[Figure, ...]:
    """How the word was kept; under every figure its definition."""
    answers = pair.answers_per_line
    return (
        _figure("promises", i18n.rate(pair.kept_rate)),
        _figure("response", *_amount(pair.word.response_hours, _("hours"))),
        _figure("answers", "–" if answers is None else i18n.number(answers)),
    )


def _figure(name: str, value: str, suffix: str = "") -> Figure:
    return Figure(_(LABELS[name]), value, _(DEFINITIONS[name]), suffix)


def _count(value: int | None) -> str:
    return "–" if value is None else i18n.number(value)


def _amount(value: Decimal | None, unit: str) -> tuple[str, str]:
    return ("–", "") if value is None else (i18n.number(value), unit)


def _columns() -> list[Column]:
    figures = [
        _("Releases compared"), _("Schedule stability"), _("Firm deliveries changed"), _("Notice, days"),
        _("Changes inside the band"), _("First promise kept"), _("Time to answer, hours"),
        _("Answers for each delivery"),
    ]  # fmt: skip
    return [Column(_("Partner")), Column(_("Direction")), *(Column(label, num=True) for label in figures)]


def _cells(pair: Fairness, actor: Actor) -> tuple[str, ...]:
    plain = [None if value is None else i18n.number(value) for value in (pair.notice_days, pair.word.response_hours)]
    answers = pair.answers_per_line
    return (
        pair.party_name, _(pair.direction.value.capitalize()), i18n.number(pair.plan.pairs), i18n.rate(pair.stability),
        _count(pair.changed_firm),
        plain[0] or "–", i18n.rate(pair.inside_rate), i18n.rate(pair.kept_rate), plain[1] or "–",
        "–" if answers is None else i18n.number(answers),
    )  # fmt: skip


def _href(asked: Asked, pair: Fairness) -> str:
    chosen = {"since": asked.since, "until": asked.until, "partner": pair.party_id, "direction": pair.direction.value}
    return address(PATH, chosen)


def _pair_name(pair: Fairness, actor: Actor) -> str:
    return f"{pair.party_name} · {_(pair.direction.value)}" if actor.is_factory else ""


ROUTES: list[Any] = [board, board_export]
