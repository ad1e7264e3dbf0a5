"""Not yet in the ERP: applied changes that the factory's ERP does not show, marked one by one or several at once."""

from decimal import Decimal
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK
from msgspec import Struct
from msgspec.structs import asdict
from pydantic import BeforeValidator, Field

from portal.changes import reads_erp, service_erp
from portal.changes.inputs import MarkShown, SetErpDays
from portal.changes.model import ErpState
from portal.changes.reads_erp import ErpFilter, ErpRow, Patience
from portal.core import i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import read, unit_of_work
from portal.core.errors import Conflict, Invalid, PortalError
from portal.core.i18n import N_, _, ngettext
from portal.parameters import FromQuery, URLEncodedBody
from portal.web import tables
from portal.web.addresses import address
from portal.web.change_views import ERP, NOT_IN_ERP, items_and_count, tabs
from portal.web.errors import BadForm, status_of
from portal.web.field_errors import filled
from portal.web.forms import Form
from portal.web.pages import Page
from portal.web.typed import Typed

SIZE = 50
EXPORT_LIMIT = 20_000
PATH = NOT_IN_ERP


class NothingMarked(Invalid):
    code = "nothing-marked"
    text = N_("No change was ticked. Tick those that the ERP shows.")


class NoReference(Invalid):
    code = "no-erp-reference"
    text = N_("The ERP's reference is missing. Write the number of the document in the ERP, at most 60 characters.")


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


class MarkForm(Form):
    """The ticked changes, each as "<id>:<version>", and the selection to return to."""

    change: Annotated[list[str], BeforeValidator(_several)] = Field(default=[], max_length=200)
    reference: str = ""
    q: str = ""
    erp: str = ""  # how far it has come there
    late: str = ""

    def command(self) -> MarkShown:
        if not self.change:
            raise NothingMarked(field="change")
        if not 0 < len(self.reference.strip()) <= 60:
            raise NoReference(field="reference")
        pairs = [one.partition(":") for one in self.change]
        said = [{"change_id": change_id, "version": version} for change_id, _colon, version in pairs]
        try:
            return MarkShown.model_validate({"changes": said, "reference": self.reference.strip()})
        except ValueError as error:
            raise BadForm(field="change", fields="change") from error


class DaysForm(Form):
    working_days: str = ""

    def command(self) -> SetErpDays:
        return filled(SetErpDays, self.model_dump())


class Asked(Struct, frozen=True):
    """The address of the page, taken apart."""

    q: str = ""
    erp: str = ""  # how far it has come there
    late: str = ""
    cursor: str = ""

    def href(self, path: str = PATH, **changes: Any) -> str:
        return address(path, asdict(self) | {"cursor": ""} | changes)

    @property
    def narrowed(self) -> bool:
        return bool(self.q or self.erp or self.late)

    def filter(self) -> ErpFilter:
        """What it means; a state that is none of ours restricts nothing."""
        state = ErpState(self.erp) if self.erp in WAITING else None
        return ErpFilter(self.q, state, bool(self.late))


class Waiting(Struct, frozen=True):
    """One row in the reader's words."""

    value: str  # "<id>:<version>"
    href: str
    number: str
    contract: str
    partner: str
    what: str
    applied: str
    age: str
    late: bool
    state: str


WAITING = (ErpState.NOT_SENT, ErpState.SENT)


def waiting(row: ErpRow, known: Patience, actor: Actor) -> Waiting:
    return Waiting(
        f"{row.id}:{row.version}",
        f"/changes/{row.id}",
        row.number,
        row.contract_number,
        row.party_name,
        items_and_count(row),
        i18n.moment(row.applied_at, actor.time_zone),
        days_text(known.age(row)),
        known.is_late(row),
        _(ERP[row.erp_state]),
    )


def days_text(n: int) -> str:
    return ngettext("{n} working day", "{n} working days", n).format(n=i18n.number(n))


@get(PATH)
async def not_in_erp(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    q: FromQuery[str] = "",
    erp: FromQuery[str] = "",
    late: FromQuery[str] = "",
    cursor: FromQuery[str] = "",
) -> Template:
    """What the ERP does not show yet, the oldest first."""
    return page.render("changes/erp.html", active="changes", **await context(actor, Asked(q, erp, late, cursor)))


async def context(
    actor: Actor, asked: Asked, typed: MarkForm | None = None, error: PortalError | None = None,
    days: Typed | None = None,
) -> dict[str, Any]:  # fmt: skip
    """What `changes/erp.html` shows. typed, error: of the ticked ones; days: the other form, as it was refused."""
    after = reads_erp.after(asked.cursor)
    async with read(actor) as connection:
        known = await reads_erp.patience(connection, actor)
        rows = await reads_erp.list_waiting(connection, actor, asked.filter(), known, after, SIZE)
        count, late = await reads_erp.count_waiting(connection, actor, known)
    more = reads_erp.key(rows[SIZE - 1]) if len(rows) > SIZE else None
    return {
        "rows": [waiting(row, known, actor) for row in rows[:SIZE]],
        "asked": asked,
        "sub": sub(count, late, known.days),
        "views": tabs(actor, here=PATH),
        "states": [("", _("All")), *((state.value, _(ERP[state])) for state in WAITING)],
        "ages": [("", _("All")), ("yes", _("Longer than {days}").format(days=days_text(known.days)))],
        "days": days or Typed(working_days=known.days),
        "can_mark": actor.may(Permission.PUBLISH_SCHEDULES),
        "can_set": actor.may(Permission.MANAGE_PEOPLE),
        "ticked": set(typed.change) if typed else set(),
        "reference": typed.reference if typed else "",
        "error": str(error or ""),
        "next_href": asked.href(cursor=more) if more else None,
        "first_href": asked.href() if asked.cursor else None,
        "export_href": asked.href(f"{PATH}/export"),
    }


def sub(count: int, late: int, days: int) -> str:
    """12 changes wait, 3 of them longer than 3 working days."""
    said = ngettext("{n} change waits", "{n} changes wait", count).format(n=i18n.number(count))
    if not late:
        return said
    more = _("{n} of them longer than {days}").format(n=i18n.number(late), days=days_text(days))
    return _("{waits}, {longer}").format(waits=said, longer=more)


@post(PATH, status_code=HTTP_200_OK)
async def mark(
    actor: NamedDependency[Actor], page: NamedDependency[Page], data: URLEncodedBody[MarkForm]
) -> Template | Redirect:
    """The ERP shows the ticked ones."""
    asked = Asked(data.q, data.erp, data.late)
    try:
        async with unit_of_work(actor) as session:
            await service_erp.mark_shown(session, actor, data.command())
    except (Invalid, Conflict) as error:
        shown = await context(actor, asked, data, error)
        return page.render("changes/erp.html", active="changes", status=status_of(error), **shown)
    return page.go(asked.href())


@post(f"{PATH}/days", status_code=HTTP_200_OK)
async def set_days(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    data: URLEncodedBody[DaysForm],
) -> Template | Redirect:
    """How long a change may wait before Today names it."""
    try:
        async with unit_of_work(actor) as session:
            await service_erp.set_days(session, actor, data.command())
    except (Invalid, Conflict) as error:
        shown = await context(actor, Asked(), days=Typed(data, error))
        return page.render("changes/erp.html", active="changes", status=status_of(error), **shown)
    return page.go(PATH)


@get(f"{PATH}/export")
async def export(
    actor: NamedDependency[Actor],
    q: FromQuery[str] = "",
    erp: FromQuery[str] = "",
    late: FromQuery[str] = "",
    kind: FromQuery[str] = "xlsx",
) -> Response[bytes]:
    """The list as a file, as it is filtered."""
    return await exported(actor, Asked(q, erp, late), kind)


async def exported(actor: Actor, asked: Asked, kind: str) -> Response[bytes]:
    async with read(actor) as connection:
        known = await reads_erp.patience(connection, actor)
        rows = await reads_erp.list_waiting(connection, actor, asked.filter(), known, None, EXPORT_LIMIT)
    head = [
        *(_("Request"), _("Contract"), _("Partner"), _("What"), _("Release"), _("Applied (UTC)")),
        *(_("Waits, working days"), _("In the ERP")),
    ]
    body = [
        [
            *(row.number, row.contract_number, row.party_name, items_and_count(row)),
            Decimal(row.release_no) if row.release_no else None,
            *(row.applied_at.isoformat(timespec="seconds"), Decimal(known.age(row)), _(ERP[row.erp_state])),
        ]
        for row in rows[:EXPORT_LIMIT]
    ]
    return tables.file(f"not-in-erp-{known.today.isoformat()}", kind, head, body)


ROUTES: list[HTTPRouteHandler] = [not_in_erp, mark, set_days, export]
