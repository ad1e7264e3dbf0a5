"""The shape of the house: who imports whom, how long things are, and words that have no place here."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from jobs.subscriptions import SUBSCRIPTIONS
from portal.core.journal import Event
from portal.core.tables import Row, SharedRow

ROOT = Path(__file__).parents[1]
FILE_LINES, FUNCTION_LINES, HANDLER_LINES = 400, 40, 10
OURS = ("portal", "jobs", "bot", "bench", "tests")
MIGRATIONS = ROOT / "portal" / "migrations" / "versions"
HTTP = {"get", "post", "put", "patch", "delete"}
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "tools", "stuff"}
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX|HA" + r"CK|NotImplemented" + r"Error)\b")
FAKES = re.compile(r"\b(mock|monkeypatch|MagicMock|pytest\.skip|mark\.skip|mark\.xfail|importorskip)\b")
CODE_IN_THE_OPEN = {".py", ".html", ".md", ".toml", ".js", ".mjs", ".css", ".sh", ".po", ".yml", ".yaml", ".json", ""}


@cache
def sources(*folders: str) -> list[Path]:
    """Our Python files; migrations are frozen text and follow their own rules."""
    found = [path for folder in folders or OURS for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in found if MIGRATIONS not in path.parents]


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> Iterator[Function]:
    yield from (node for node in ast.walk(parsed(path)) if isinstance(node, Function))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def length(function: Function) -> int:
    """Lines from `def` to the end, without decorators."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def body_length(function: Function) -> int:
    """Lines of the body, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


def is_handler(function: Function) -> bool:
    """Whether a route calls it."""
    names = [d.func.id for d in function.decorator_list if isinstance(d, ast.Call) and isinstance(d.func, ast.Name)]
    return bool(HTTP & set(names))


# --- imports ----------------------------------------------------------------------------------------------------------


def test_imports_keep_to_the_layers() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    done = subprocess.run([*command, "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]


def test_only_jobs_know_the_queue() -> None:
    knowing = [
        name_of(path)
        for path in sources("portal")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
        if name.partition(".")[0] == "arq"
    ]
    assert knowing == []


def test_a_domain_has_only_files_of_the_known_kinds() -> None:
    """A newcomer finds any rule in one guess: model, rules, service, reads, frames, events, or one named use case."""
    for path in sources("portal", "jobs", "bench"):
        assert path.stem not in VAGUE, name_of(path)
        assert not VAGUE & set(path.stem.split("_")), name_of(path)


# --- size -------------------------------------------------------------------------------------------------------------


def test_no_file_is_longer_than_400_lines() -> None:
    long = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in sources()}
    assert {name: lines for name, lines in long.items() if lines > FILE_LINES} == {}


def test_no_function_is_longer_than_40_lines() -> None:
    long = {
        f"{name_of(path)}:{function.name}": length(function)
        for path in sources("portal", "jobs", "bot", "bench")
        for function in functions(path)
        if length(function) > FUNCTION_LINES
    }
    assert long == {}


def test_no_handler_is_longer_than_10_lines() -> None:
    """A face parses, calls and shapes; everything else is a command or a read."""
    long = {
        f"{name_of(path)}:{function.name}": body_length(function)
        for path in sources("portal/web", "portal/api")
        for function in functions(path)
        if is_handler(function) and body_length(function) > HANDLER_LINES
    }
    assert long == {}


# --- words ------------------------------------------------------------------------------------------------------------


def test_nothing_is_left_unfinished() -> None:
    found = [name_of(path) for path in sources() if UNFINISHED.search(path.read_text("utf-8"))]
    assert found == []


def test_tests_fake_and_skip_nothing() -> None:
    here = Path(__file__)
    found = [name_of(path) for path in sources("tests") if path != here and FAKES.search(path.read_text("utf-8"))]
    assert found == []


def test_no_cancellation_is_lost() -> None:
    """Python 3.11's `wait_for` swallows a cancellation that meets the result; `asyncio.timeout` does not."""
    waits = [
        name_of(path) for path in sources("portal", "bot", "jobs") if "asyncio.wait_for(" in path.read_text("utf-8")
    ]
    assert waits == []


def test_no_error_is_swallowed_without_a_word() -> None:
    """`except Exception: pass` hides what a person should see."""
    silent = [
        f"{name_of(path)}:{node.lineno}"
        for path in sources()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}))
        and all(isinstance(step, ast.Pass) for step in node.body)
    ]
    assert silent == []


def tracked() -> list[Path]:
    """Every file of the project that people read, as git knows them; without git every file but built ones."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = [name for name in listed.stdout.split("\0") if name] if listed.returncode == 0 else []
    paths = [ROOT / name for name in names] or sources()
    return [path for path in paths if path.suffix in CODE_IN_THE_OPEN and "dist" not in path.parts and path.is_file()]


@pytest.mark.parametrize("folder", ["/" + "work/", "/" + "root/", "/" + "home/", "/" + "Users/"])
def test_no_file_names_a_folder_of_one_machine(folder: str) -> None:
    """Whoever clones the project has other folders."""
    pattern = re.compile(rf"(?<![\w./-]){re.escape(folder)}")
    found = [str(path.relative_to(ROOT)) for path in tracked() if pattern.search(path.read_text("utf-8", "replace"))]
    assert found == []


# --- promises between parts -------------------------------------------------------------------------------------------


def test_every_subscription_is_to_an_event_that_exists() -> None:
    assert set(SUBSCRIPTIONS) <= set(Event.all)
    names = [subscriber.name for found in SUBSCRIPTIONS.values() for subscriber in found]
    assert len(names) == len(set(names))


def test_no_event_carries_data() -> None:
    """Rows hold ids: what was said may have moved on when somebody reacts."""
    for path in sources("portal"):
        if path.stem != "events":
            continue
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                kind = ast.unparse(node.annotation)
                assert kind in {"UUID", "UUID | None"}, f"{name_of(path)}: {node.target.id}: {kind}"


def test_every_table_says_what_a_row_means() -> None:
    def below(kind: type[Row]) -> Iterator[type[Row]]:
        for child in kind.__subclasses__():
            yield child
            yield from below(child)

    tables = [kind for kind in below(Row) if hasattr(kind, "__table__")]
    assert SharedRow not in tables
    assert [kind.__name__ for kind in tables if not (kind.__doc__ or "").strip()] == []
