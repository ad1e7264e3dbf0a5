"""The portal's own application with the ceilings beside it: handlers that do the same work with nothing around it.

A ceiling is in the same process and goes through the same server and router. It asks nobody who is reading, takes a
bare driver connection, sends BEGIN with the scope, the product's own SELECT and COMMIT, and renders the product's own
template, or encodes with msgspec. What does not depend on the rows is prepared once.
"""

from collections import deque
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from litestar import Litestar, Response, get
from litestar.params import FromQuery
from litestar.response import Template
from markupsafe import Markup

from bench import data
from portal.cli import web_app as portal_app
from portal.core import clock
from portal.core.access import Role
from portal.core.actor import Actor, Scope
from portal.core.calendars import local_today
from portal.core.db import Driver, scope_sql
from portal.core.log import configure_logging
from portal.core.paging import PageOf
from portal.core.roles import plain_dsn
from portal.core.serving import serve
from portal.core.settings import get_settings
from portal.schedules import reads
from portal.schedules.reads import LineFilter, LineRow, View
from portal.web.pages import NAV
from portal.web.schedule_list import SIZE, TABS, Asked, listed

CONNECTIONS = 8  # as many as the portal's own pool of a role
who = data.access(data.MEASURED, "factory")
actor = Actor(who.tenant_id, who.party_id, Scope.FACTORY, Role.ADMIN, who.member_id, time_zone=data.ZONE)
begin = "BEGIN READ ONLY;" + scope_sql(actor)
first_key = (date.min, UUID(int=0))
free: deque[Driver] = deque()


async def connect() -> None:
    """Open the ceilings' connections before the first request."""
    dsn = plain_dsn(str(get_settings().database_factory_url))
    free.extend([await asyncpg.connect(dsn) for _ in range(CONNECTIONS)])


async def disconnect() -> None:
    """Close them."""
    while free:
        await free.pop().close()


async def fetch(query: str, *args: Any) -> list[LineRow]:
    """One query in a transaction of the measured tenant, on a connection that is nobody else's meanwhile."""
    connection = free.pop()
    try:
        await connection.execute(begin)
        rows = await connection.fetch(query, *args)
        await connection.execute("COMMIT")
    finally:
        free.append(connection)
    return [LineRow(*row) for row in rows]


# --- JSON -------------------------------------------------------------------------------------------------------------

json_query, _ = reads.page_query(actor, LineFilter(View.ALL), first_key, 50)


@get("/bench/lines", opt={"public": True}, include_in_schema=False)
async def raw_json(due: FromQuery[date], id: FromQuery[UUID]) -> Response[bytes]:  # noqa: A002 - the key's own name
    """50 lines after a key."""
    rows = await fetch(json_query, who.tenant_id, due, id)
    body = msgspec.json.encode(PageOf(rows[:50], f"{rows[49].due_date} {rows[49].id}"))
    return Response(body, media_type="application/json")


# --- HTML -------------------------------------------------------------------------------------------------------------

today = local_today(clock.now(), data.ZONE)
asked = Asked(View.ALL, "", None, None, None, None, "x")
page_query, _ = reads.page_query(actor, asked.filter(today), first_key, SIZE)
csrf = Markup('<input type="hidden" name="_csrf_token" value="0000">')
page = SimpleNamespace(
    language="en",
    path="/schedules",
    here="/schedules",
    tenant_name="Hengyuan Precision 7",
    company_name="Hengyuan Precision",
    user_name="Lena Vogt",
    role_label="Administrator",
    companies_count=1,
    scope="factory",
    active="schedules",
    word="",
    zone_note="All times are China Standard Time",
    nav=[(item.key, item.label, item.href, item.icon) for item in NAV],
)
prepared: dict[str, Any] = {
    "page": page,
    "csrf_input": csrf,
    "csrf_token": "0000",
    "asked": asked,
    "can_confirm": False,
    "about": "",
    "today": today,
    "tabs": [(label, asked.href(view=view), view is asked.view) for view, label in TABS],
    "first_href": asked.href(),
    "export_href": "/schedules/export",
}


@get("/bench/page", opt={"public": True}, include_in_schema=False)
async def raw_page(due: FromQuery[date], id: FromQuery[UUID]) -> Template:  # noqa: A002 - the key's own name
    """The list's page of 50 lines after a key."""
    rows = await fetch(page_query, who.tenant_id, today - timedelta(days=7), due, id)
    more = rows[SIZE - 1]
    changing = {
        "rows": listed(rows[:SIZE], today, actor),
        "next_href": f"/bench/page?due={more.due_date}&id={more.id}",
    }
    return Template("schedules/list.html", context=prepared | changing)


def web_app() -> Litestar:
    """What the measured server runs."""
    app = portal_app()
    app.register(raw_json)
    app.register(raw_page)
    app.on_startup.append(connect)
    app.on_shutdown.append(disconnect)
    return app


if __name__ == "__main__":
    settings = get_settings()
    configure_logging(settings.log_format, settings.log_level)
    serve(web_app, settings)
