"""What the tests of documents share: the application, and settings of their own for a while."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from litestar import Litestar

from portal.app import create_app
from portal.core.settings import Settings, get_settings, variable

Choose = Callable[..., None]


@pytest.fixture(scope="session")
async def app(database: Settings) -> Litestar:
    """The application over this worker's database."""
    return create_app(database)


@pytest.fixture
def choose(database: Settings) -> Iterator[Choose]:
    """Set settings for one test: choose(seal_p12="...")."""
    before = dict(os.environ)

    def set_(**values: str | Path) -> None:
        os.environ.update({variable(name): str(value) for name, value in values.items()})
        get_settings.cache_clear()

    yield set_
    os.environ.clear()
    os.environ.update(before)
    get_settings.cache_clear()
