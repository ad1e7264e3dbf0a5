"""The audit over the interface: who did what, and whether the chain over it is whole."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from msgspec import Struct

from portal.core import audit, paging
from portal.core.actor import Actor
from portal.core.audit import AuditFilter, AuditRow
from portal.core.db import read
from portal.parameters import FromQuery


class BreakOut(Struct):
    """A place where the chain is not whole: a gap, a fork or an edit."""

    number: int
    what: str


class ChainOut(Struct):
    """Where the chain stands. Keep `head` with `sealed` outside of the portal: it proves every entry before it."""

    sealed: int
    unsealed: int
    head: str
    sealed_until: datetime | None
    whole: bool
    breaks: list[BreakOut]


class AuditController(Controller):
    path = "/audit"
    tags = ("Audit",)

    @get()
    async def list_entries(
        self,
        actor: NamedDependency[Actor],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int] = 50,
        action: FromQuery[str] = "",
        member: FromQuery[str] = "",
        subject_id: FromQuery[UUID | None] = None,
        since: FromQuery[date | None] = None,
        until: FromQuery[date | None] = None,
    ) -> paging.PageOf[AuditRow]:
        """Who did what, newest first. `action` is a document's kind or the whole action: `schedule_line.confirmed`."""
        paging.check_limit(limit)
        after = paging.decode(cursor, UUID)[0] if cursor else None
        wanted = AuditFilter(action, member, since, until, subject_id)
        async with read(actor) as connection:
            rows = await audit.list_rows(connection, actor, wanted, after, limit)
        more = paging.encode(rows[limit - 1].id) if len(rows) > limit else None
        return paging.PageOf(rows[:limit], more)

    @get("/chain")
    async def chain(self, actor: NamedDependency[Actor]) -> ChainOut:
        """Recompute every seal: the chain's end, and each place where it is not whole."""
        async with read(actor) as connection:
            state = await audit.chain(connection, actor)
            found = await audit.verify_chain(connection, actor)
        breaks = [BreakOut(each.seal_no, each.what) for each in found]
        return ChainOut(state.sealed, state.unsealed, state.head, state.sealed_until, not breaks, breaks)


ROUTES: list[Any] = [AuditController]
