"""The world of the tests of isolation, and how many cells they tried."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from portal.core.settings import Settings
from tests.isolation.world import World, build_world

CELLS = "cells of isolation"


@pytest.fixture(scope="session")
async def world(database: Settings) -> AsyncIterator[World]:
    """Two workspaces with everybody in them; tests add to it and take nothing away."""
    built = await build_world(database)
    yield built
    await built.owner.close()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many cells the matrix had, and how many of those allowed succeeded."""
    found = [
        value
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        for name, value in report.user_properties
        if name == CELLS and report.when == "call"
    ]
    if found:
        refused, allowed, succeeded = (sum(column) for column in zip(*found, strict=True))
        terminalreporter.write_line(
            f"isolation: {refused + allowed} cells, {refused} to be refused, {succeeded} of {allowed} allowed succeeded"
        )
