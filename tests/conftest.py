"""Services for the tests: one server a run, one database a worker, settings that name only application roles."""

import gc
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from portal.core import db
from portal.core.settings import Settings, get_settings, variable
from tests.databases import Server, create_database, drop_database, running_server
from tests.factories import Tenant, make_tenant

Choose = Callable[..., None]
_SERVER = pytest.StashKey[Server]()
_STACK = pytest.StashKey[ExitStack]()
# The shell draws the same pages without the windows, menus and extensions of a desktop, in two thirds of the time.
_BROWSERS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What is loaded and collected lives until the end, so the collector of garbage need not look through it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


# --- one server for all workers -----------------------------------------------------------------------------------


def _start_once(config: pytest.Config) -> Server:
    if _SERVER not in config.stash:
        stack = ExitStack()
        config.stash[_STACK] = stack
        config.stash[_SERVER] = stack.enter_context(running_server())
    return config.stash[_SERVER]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """The controlling process starts the server before its first worker and tells every worker where it is."""
    node.workerinput["server"] = _start_once(node.config).as_dict()


def pytest_unconfigure(config: pytest.Config) -> None:
    if _STACK in config.stash:
        config.stash[_STACK].close()


@pytest.fixture(scope="session")
def server(pytestconfig: pytest.Config) -> Server:
    """The run's PostgreSQL and Valkey."""
    given = getattr(pytestconfig, "workerinput", {}).get("server")
    return Server(**given) if given else _start_once(pytestconfig)


@pytest.fixture(scope="session")
async def database(server: Server) -> AsyncIterator[Settings]:
    """This worker's migrated database, with the pools of the application roles open. Also what get_settings() says."""
    name = f"portal_test_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    settings = await create_database(server, name)
    for field in Settings.model_fields:
        value = getattr(settings, field)
        os.environ[variable(field)] = "" if value is None else str(value)
    get_settings.cache_clear()
    db.configure(settings)
    yield settings
    await db.dispose()


@pytest.fixture
async def empty_database(server: Server) -> AsyncIterator[Settings]:
    """A database of the test's own with roles but no schema; the pools of the session do not know it."""
    name = f"portal_empty_{os.urandom(4).hex()}"
    yield await create_database(server, name, migrated=False)
    await drop_database(server, name)


@pytest.fixture
async def own_database(server: Server) -> AsyncIterator[Settings]:
    """A migrated database of the test's own, for what looks across tenants."""
    name = f"portal_own_{os.urandom(4).hex()}"
    yield await create_database(server, name)
    await drop_database(server, name)


@pytest.fixture
async def tenant(database: Settings) -> Tenant:
    """A fresh workspace with a factory, a customer and a supplier. Tests commit for real and clean up nothing."""
    return await make_tenant(str(database.database_url))


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


# --- the browser --------------------------------------------------------------------------------------------------


def find_chromium() -> str | None:
    """An installed Chromium, or the one that Playwright brought."""
    for name in _BROWSERS:
        if path := shutil.which(name):
            return path
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    brought = ("chromium_headless_shell-*/chrome-*linux*/*headless*shell", "chromium-*/chrome-linux*/chrome")
    return next((str(path) for pattern in brought for path in sorted(cache.glob(pattern))), None)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser; tests that need it carry the marker `browser`."""
    path = find_chromium()
    assert path is not None, "no Chromium; the test needs the marker `browser`"
    return path


def pytest_configure() -> None:
    if os.environ.get("PORTAL_REQUIRE_BROWSER") == "1" and not find_chromium():
        raise pytest.UsageError("PORTAL_REQUIRE_BROWSER=1, but no Chromium was found. Install it (.ci/run does).")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what cannot run here: browser tests without a Chromium, which the summary says aloud, and root's."""
    absent = {name for name, present in (("browser", find_chromium()), ("root", os.geteuid() == 0)) if not present}
    left_out = [item for item in items if any(item.get_closest_marker(name) for name in absent)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not find_chromium():
        terminalreporter.section("no Chromium found", red=True, bold=True)
        terminalreporter.line("The browser tests did NOT run. Install chromium (.ci/run does) and run again.")


@pytest.fixture
def chosen_environment() -> Iterator[MutableMapping[str, str]]:
    """The environment without any PORTAL_ variable, given back as it was afterwards."""
    before = dict(os.environ)
    for name in before:
        if name.startswith("PORTAL_"):
            del os.environ[name]
    get_settings.cache_clear()
    yield os.environ
    os.environ.clear()
    os.environ.update(before)
    get_settings.cache_clear()
