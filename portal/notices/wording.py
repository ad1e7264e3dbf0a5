"""Words that several cards share: places, dates, what a reader is told who only reads."""

from collections.abc import Mapping, Sequence
from datetime import date
from urllib.parse import quote
from uuid import UUID

import asyncpg

from portal.core import i18n
from portal.core.actor import Actor
from portal.core.arrays import columns
from portal.core.db import Driver
from portal.core.i18n import N_, _
from portal.core.settings import get_settings
from portal.notices.actions import Verb
from portal.notices.cards import Button, Style

LABELS: dict[Verb, tuple[str, Style]] = {
    Verb.CONFIRM: (N_("Confirm"), "success"),
    Verb.ACCEPT: (N_("Accept"), "success"),
    Verb.DECLINE: (N_("Decline"), "danger"),
    Verb.LATE: (N_("Will be late"), ""),
    Verb.PROBLEM: (N_("Problem"), "danger"),
    Verb.COMMIT_SHARE: (N_("Commit to a share"), ""),
    Verb.RECEIVE: (N_("All complete"), "success"),
    Verb.COUNT: (N_("Count"), ""),
    Verb.CORRECT: (N_("Correct within 15 minutes"), ""),
    Verb.ACKNOWLEDGE: (N_("Acknowledge"), ""),
    Verb.TAKE_OVER: (N_("Take over"), ""),
    Verb.APPROVE: (N_("Approve"), "success"),
    Verb.TURN_DOWN: (N_("Refuse"), "danger"),
    Verb.AGREE: (N_("Agree"), "success"),
    Verb.REFUSE: (N_("Refuse"), "danger"),
    Verb.COUNTER: (N_("Counter-offer"), ""),
    Verb.SHOW: (N_("Show"), ""),
    Verb.SHOW_RISKS: (N_("Show risks"), ""),
}


def address(path: str) -> str:
    """The full address of a page."""
    return get_settings().base_url + quote(path, safe="/?=&")


def acting(verb: Verb, actions: dict[Verb, UUID]) -> Button:
    """The button of an action, with its usual words."""
    label, style = LABELS[verb]
    return Button(_(label), actions[verb], style=style)


def opening(path: str, label: str = "", *, form: bool = False) -> Button:
    """The button that opens a page. form: one to fill in."""
    return Button(label or _("Open the page"), None, url=address(path), form=form)


def day(value: date) -> str:
    """Thu 26 Nov or 11月26日 周四: the weekday stands where the language puts it."""
    if i18n.language.get() is i18n.Language.ZH:
        return f"{i18n.day(value)} {i18n.weekday(value)}"
    return f"{i18n.weekday(value)} {i18n.day(value)}"


def joined(*parts: str) -> str:
    """Parts of one line; empty ones are left out, and none is said twice."""
    return " · ".join(dict.fromkeys(part for part in parts if part))


def due(what: str, on: date) -> str:
    """A100 800 pcs, Thu 26 Nov: a delivery in a line of its own."""
    return f"{what}{'，' if i18n.language.get() is i18n.Language.ZH else ', '}{day(on)}"


def listed(parts: list[str]) -> str:
    """Things of one kind after each other, as the language separates them."""
    return ("、" if i18n.language.get() is i18n.Language.ZH else ", ").join(parts)


_ANSWERS = """
select distinct on (t.subject_id) t.subject_id, t.verb, t.scope, t.at, (select name from tenant where tenant_id = $1)
from unnest($2::text::uuid[], $3::text::text[]) as r(subject_id, verb) cross join lateral (
    select t.subject_id, t.id, t.verb, t.scope, t.at from timeline t
    where t.tenant_id = $1 and t.subject_id = r.subject_id and t.verb = r.verb order by t.id desc limit 1) t
order by t.subject_id, t.id desc"""
SAID: dict[str, str] = {
    "confirmed": N_("Confirmed by {company}, {when}."),
    "rejected": N_("Refused by {company}, {when}."),
    "cancelled": N_("Cancelled by {company}, {when}."),
    "received": N_("Received by {company}, {when}."),
    "withdrawn": N_("Withdrawn by {company}, {when}."),
    "accepted": N_("Accepted by {company}, {when}."),
    "declined": N_("Declined by {company}, {when}."),
}


async def last_said(connection: Driver, actor: Actor, subject_id: UUID, verbs: list[str], partner: str) -> str:
    """Who answered last and when, by company and never by person. partner: the name of the other side's company."""
    answers = await last_answers(connection, actor.tenant_id, {subject_id: verbs})
    return said(answers.get(subject_id), actor, partner)


async def last_answers(
    connection: Driver, tenant_id: UUID, verbs: Mapping[UUID, Sequence[str]]
) -> dict[UUID, asyncpg.Record]:
    """The last of these deeds on each of these documents. verbs: by document."""
    asked = [(subject_id, verb) for subject_id, of in verbs.items() for verb in of]
    rows = await connection.fetch(_ANSWERS, tenant_id, *columns(asked)) if asked else []
    return {row["subject_id"]: row for row in rows}


def said(answer: asyncpg.Record | None, actor: Actor, partner: str) -> str:
    """Such a deed as a sentence for this reader; without one nothing."""
    if answer is None:
        return ""
    _subject, verb, scope, at, factory = answer.values()
    company = _("your company") if scope == actor.scope else (partner if actor.is_factory else factory)
    return _(SAID[verb]).format(company=company, when=i18n.moment(at, actor.time_zone, year=False))


INFORMATION = N_("For your information; nothing is asked of you.")
