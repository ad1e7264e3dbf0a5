"""A request that somebody can make, to be spoilt in one way or another."""

from dataclasses import dataclass

from tests.isolation.calls import Answer, Parts, filled, send
from tests.isolation.expect import Spec
from tests.isolation.matrix import named, signed
from tests.isolation.table import Route, is_program
from tests.isolation.things import Ids
from tests.isolation.world import Place, Principal, World


@dataclass(frozen=True, slots=True)
class Cell:
    """A request to a route, with the sender for whom it would succeed."""

    route: Route
    sender: Principal
    ids: Ids
    parts: Parts

    async def sent(self, world: World, parts: Parts, method: str = "") -> Answer:
        """Send exactly these parts instead."""
        address = filled(self.route[1], self.ids)
        return await send(world.app, method or self.route[0], address, parts, self.sender.headers)

    async def told(self, world: World, parts: Parts) -> Answer:
        """Send these parts as the sender's own page would."""
        return await self.sent(world, signed(parts, self.sender))


async def cell(world: World, route: Route, spec: Spec, *, refused: bool = False) -> Cell:
    """A request to a route that somebody signed in could make; the administrator's where none could.

    refused: it will be spoilt so that it changes nothing.
    """
    senders = (world.programs if is_program(route) else world.browsers)[1:]
    found: tuple[Principal, Ids] | None = None
    for place in spec.where():
        if place is Place.ABSENT:
            continue
        ids = await named(world, route, spec, place, refused=refused)
        allowed = [person for person in senders if spec.allows(world, person.actor, place, ids)]
        found = (allowed or senders)[0], ids
        if allowed:
            break
    assert found is not None
    sender, ids = found
    if spec.double:
        sender = await world.double(sender)
    return Cell(route, sender, ids, spec.parts(ids | {"email": sender.email}))
