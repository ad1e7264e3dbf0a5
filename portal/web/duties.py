"""Who answers a release: a card on its page for the company that is asked, and the button that takes it over."""

from typing import Any
from uuid import UUID

from litestar import post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect
from litestar.status_codes import HTTP_200_OK
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import i18n
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.errors import Forbidden
from portal.core.i18n import _
from portal.notices import service_duties
from portal.parameters import FromPath, URLEncodedBody
from portal.web.forms import Form
from portal.web.pages import Page, named


class TakeOverForm(Form):
    """A button without fields."""


async def duty_context(actor: Actor, contract_id: UUID, number: int) -> dict[str, Any]:
    """What `schedules/_duty.html` shows; nothing to those whom the release does not ask."""
    try:
        async with unit_of_work(actor) as session:
            found = await service_duties.answering(session, actor, contract_id, number)
    except Forbidden:
        return {"duty": None}
    said = ""
    if found.taken is not None:
        when = i18n.moment(found.taken.at, actor.time_zone)
        said = _("{name} took it over on {when}.").format(name=named(found.taken.name), when=when)
    mine = found.taken is not None and found.taken.member_id == actor.member_id
    return {"duty": found, "duty_said": said, "may_take_over": found.waits and not mine}


@post("/contracts/{contract_id:uuid}/releases/{number:int}/take-over", status_code=HTTP_200_OK)
async def take_over(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    number: FromPath[int],
    data: URLEncodedBody[TakeOverForm],
) -> Redirect:
    """Answer in place of those who were asked."""
    await service_duties.take_over(session, actor, contract_id, number)
    return page.go(f"/contracts/{contract_id}/releases/{number}#duty")


ROUTES: list[HTTPRouteHandler] = [take_over]
