"""The log of every message that was sent and every button that was pressed."""

from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.response import Template
from msgspec import Struct
from msgspec.structs import asdict, replace

from portal.core import clock, i18n, paging
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import read
from portal.core.i18n import N_, _
from portal.notices import reads
from portal.notices.model import KIND_NAMES, Kind
from portal.notices.reads import LogFilter, LogRow, View
from portal.parameters import FromQuery
from portal.web import tables
from portal.web.addresses import address, day_of
from portal.web.notifications import CHANNEL_NAMES
from portal.web.pages import Page

SIZE = 50
EXPORT_LIMIT = 100_000
VIEWS = {
    View.ALL: N_("All"),
    View.SENT: N_("Messages sent"),
    View.PRESSED: N_("Answers"),
    View.WAITING: N_("Not sent yet"),
    View.FAILED: N_("Not delivered"),
}
STATES = {"waiting": N_("Not sent yet"), "failed": N_("Sent another way"), "dead": N_("Not sent")}
WHAT = {"sent": N_("Message"), "edited": N_("Message updated"), "pressed": N_("Answer")}
PLACES = {"schedule_line": "/schedule-lines/", "shipment": "/shipments/", "contract": "/contracts/"}
REASONS = {
    "The person is not a member any more.": N_("The person is not a member any more."),
    "It is not the person's to see.": N_("It is not the person's to see."),
    "It came too late to be sent.": N_("It came too late to be sent."),
    "It was answered meanwhile.": N_("It was answered meanwhile."),
    "Nothing was agreed.": N_("Nothing was agreed."),
    "There is no message to change.": N_("There is no message to change."),
}


class Asked(Struct, frozen=True):
    """The log's address, taken apart."""

    view: str = ""
    member: str = ""
    channel: str = ""
    since: str = ""
    until: str = ""
    cursor: str | None = None

    def href(self, path: str = "/messages", **changes: Any) -> str:
        """The same selection with other parts; empty parts are left out."""
        other = replace(self, **({"cursor": None} | changes))
        return address(path, asdict(other))

    @property
    def narrowed(self) -> bool:
        return bool(self.view or self.member or self.channel or self.since or self.until)

    def filter(self) -> LogFilter:
        """As the log is searched. Raises NotADate; an unknown view or channel is all of them."""
        view = View(self.view) if self.view in set(View) else View.ALL
        channel = self.channel if self.channel in CHANNEL_NAMES else ""
        return LogFilter(view, self.member, channel, day_of("since", self.since), day_of("until", self.until))


class Line(Struct, frozen=True):
    """One row of the log, in the reader's words."""

    when: str
    who: str
    company: str
    way: str
    what: str
    text: str
    href: str | None
    state: str  # a word where it was not simply sent
    bad: bool


def line(row: LogRow, zone: str) -> Line:
    kind = _(KIND_NAMES[Kind(row.kind)]) if row.kind and row.what != "pressed" else ""
    first = " · ".join(row.text.split("\n")[:2]) or kind
    place = PLACES.get(row.object_kind)
    return Line(
        i18n.moment(row.at, zone),
        row.member_name,
        row.party_name,
        _(CHANNEL_NAMES.get(row.channel, row.channel)),
        _(WHAT[row.what]),
        first,
        place + str(row.object_id) if place else None,
        state(row, zone),
        row.state in ("failed", "dead"),
    )


def state(row: LogRow, zone: str) -> str:
    """Nothing where all is well, else what is the matter."""
    if row.state == "waiting" and row.due_at is not None:
        return _("To be sent {when}").format(when=i18n.moment(row.due_at, zone, year=False))
    if row.state not in STATES:
        return ""
    said = _(STATES[row.state])
    why = _(REASONS[row.error]) if row.error in REASONS else row.error
    return (
        f"{said}: {why}" if why and i18n.language.get() is not i18n.Language.ZH else said + (f"：{why}" if why else "")
    )


@get("/messages")
async def message_log(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    view: FromQuery[str] = "",
    member: FromQuery[str] = "",
    channel: FromQuery[str] = "",
    since: FromQuery[str] = "",
    until: FromQuery[str] = "",
    cursor: FromQuery[str | None] = None,
) -> Template:
    """What was sent to whom, and what they answered, newest first."""
    asked = Asked(view, member, channel, since, until, cursor)
    return page.render("messages/list.html", active="messages", **await context(actor, asked))


async def context(actor: Actor, asked: Asked) -> dict[str, Any]:
    """What the page shows."""
    after = paging.decode(asked.cursor, UUID)[0] if asked.cursor else None
    async with read(actor) as connection:
        rows = await reads.list_log(connection, actor, asked.filter(), after, SIZE)
    more = rows[SIZE - 1] if len(rows) > SIZE else None
    return {
        "lines": [line(row, actor.time_zone) for row in rows[:SIZE]],
        "asked": asked,
        "views": [
            (_(name), asked.href(view="" if view is View.ALL else view.value), asked.filter().view is view)
            for view, name in VIEWS.items()
        ],
        "channels": [("", _("All")), *((name, _(label)) for name, label in CHANNEL_NAMES.items())],
        "next_href": asked.href(cursor=paging.encode(more.id)) if more else None,
        "first_href": asked.href() if asked.cursor else None,
        "export_href": asked.href("/messages/export"),
    }


@get("/messages/export")
async def export(
    actor: NamedDependency[Actor],
    view: FromQuery[str] = "",
    member: FromQuery[str] = "",
    channel: FromQuery[str] = "",
    since: FromQuery[str] = "",
    until: FromQuery[str] = "",
) -> Response[bytes]:
    """The log as a file, as it is filtered."""
    return await exported(actor, Asked(view, member, channel, since, until))


async def exported(actor: Actor, asked: Asked) -> Response[bytes]:
    """The log as CSV: times in UTC, and everything that was said."""
    async with read(actor) as connection:
        rows = await reads.list_log(connection, actor, asked.filter(), None, EXPORT_LIMIT)
    head = [
        _("Time (UTC)"),
        _("Who"),
        _("Company"),
        _("Channel"),
        _("What"),
        _("Text"),
        _("State"),
        _("Reason"),
        _("Tries"),
    ]
    body = [
        [
            row.at.isoformat(timespec="seconds"), row.member_name, row.party_name, row.channel, row.what, row.text,
            row.state, row.error, row.attempts,
        ]
        for row in rows[:EXPORT_LIMIT]
    ]  # fmt: skip
    name = f"messages-{local_today(clock.now(), actor.time_zone).isoformat()}"
    return tables.file(name, "csv", head, body)


ROUTES: list[Any] = [message_log, export]
