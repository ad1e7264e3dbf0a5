"""Puts the page of one contract's forecast together."""

from typing import Any
from uuid import UUID

from portal.contracts.model import ContractStatus
from portal.core import clock, i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.i18n import N_, _
from portal.core.states import Side
from portal.forecasts import rules, words
from portal.forecasts.reads import Head
from portal.web.forecast_part_views import commit_line
from portal.web.forecast_part_views import context as part_context
from portal.web.forecast_views import CHOICES, Asked, Matrix, columns, find, row, zones
from portal.web.typed import Typed


async def context(actor: Actor, contract_id: UUID, asked: Asked, typed: Typed) -> dict[str, Any]:
    """What `forecasts/forecast.html` shows."""
    found = await find(actor, contract_id, asked)
    head, base = found.head, f"/contracts/{contract_id}/forecast"
    known = {key[0] for key in found.cells}
    shown = [part for part in found.parts if part.id in known] or found.parts
    chosen = next((part for part in found.parts if part.id == asked.part), shown[0] if shown else None)
    seller = actor.side_on(head.direction) is Side.SELLER
    active = head.status == ContractStatus.ACTIVE
    rows = [row(found, part, asked, base, part is chosen) for part in found.parts]
    return {
        "head": head,
        "asked": asked,
        "base": base,
        "release": _release(head),
        "board": Matrix(zones(found), columns(found, asked), rows) if known else None,
        "can_commit": seller and actor.may(Permission.CONFIRM_LINES) and active and head.release_no > 0,
        "can_set": actor.may(Permission.EDIT_CONTRACTS) and active,
        "waits": waits(head, seller),
        "case": found.case,
        "commits": [commit_line(each, head.time_zone) for each in found.commits],
        "export": asked.href(f"{base}/export"),
        "typed": typed,
        **switches(asked, base),
        **(part_context(found, chosen, asked, typed) if chosen else {"chosen": None, "figures": ()}),
    }


def switches(asked: Asked, base: str) -> dict[str, Any]:
    """The segment switches: how far ahead, which periods, what accuracy is measured against."""
    weeks = [(_("{n} weeks").format(n=n), asked.href(base, weeks=n), None, asked.weeks == n) for n in CHOICES]
    spans = [(_(name), asked.href(base, span=span), None, asked.span is span) for span, name in words.SPANS.items()]
    measures = [
        (_(name), asked.href(base, measure=one), None, asked.measure is one) for one, name in words.MEASURES.items()
    ]
    definition = words.definition(rules.MEASURED, asked.measure)
    return {"weeks_views": weeks, "span_views": spans, "measures": measures, "definition": definition}


def _release(head: Head) -> str:
    if not head.release_no or head.published_at is None:
        return _("Not published yet")
    when = i18n.moment(head.published_at, head.time_zone)
    return _("Release {n} · published {when}").format(n=head.release_no, when=when)


DUE = {  # by whether the time has passed: for the seller, for the buyer
    True: (
        N_("Your commit to release {n} was due by {when}."),
        N_("The seller's commit to release {n} was due by {when}."),
    ),
    False: (N_("Commit to release {n} by {when}."), N_("The seller commits to release {n} by {when}.")),
}


def waits(head: Head, seller: bool) -> tuple[str, bool] | None:
    """Whose commit is waited for until when, and whether that time has passed."""
    if head.due_at is None:
        return None
    when = i18n.moment(head.due_at, head.time_zone)
    late = head.lapsed or head.due_at < clock.now()
    ours, theirs = DUE[late]
    text = _(ours if seller else theirs)
    return text.format(n=head.release_no, when=when), late
