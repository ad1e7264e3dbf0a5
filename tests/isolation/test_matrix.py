"""Every route, everybody, everybody's objects: no unexpected success, and foreign looks like absent."""

from typing import Any

import pytest

from tests.isolation.conftest import CELLS
from tests.isolation.matrix import try_route
from tests.isolation.table import ROUTES, Route, label, routes_of, specs
from tests.isolation.world import World

ENOUGH = 0.95  # of the allowed cells succeed


async def test_every_route_of_the_application_is_in_the_table_and_nothing_else(world: World) -> None:
    served = routes_of(world.app)
    assert served - ROUTES.keys() == set(), "routes that nobody says who may use"
    assert ROUTES.keys() - served == set(), "rows of the table without a route"


@pytest.mark.parametrize("route", sorted(ROUTES), ids=label)
async def test_nobody_succeeds_unexpectedly(world: World, route: Route, record_property: Any) -> None:
    tally = await try_route(world, route, specs(route))
    record_property(CELLS, (tally.refused, tally.allowed, tally.succeeded))
    assert not tally.surprises, "\n".join(tally.surprises)
    assert tally.succeeded >= ENOUGH * tally.allowed
