"""What the tests of documents share: the application."""

import pytest
from litestar import Litestar

from portal.app import create_app
from portal.core.settings import Settings


@pytest.fixture(scope="session")
async def app(database: Settings) -> Litestar:
    """The application over this worker's database."""
    return create_app(database)
