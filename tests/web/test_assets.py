"""The built files are complete, addressed by their content, and need nothing from elsewhere."""

import gzip
import json
import re
from pathlib import Path

import pytest

from portal.web.assets import DIST, STATIC_URL, asset, icon

FRONTEND = Path(__file__).parents[2] / "frontend"
BUDGET = {"app.css": 14_000, "app.js": 18_000, "chart.js": 26_000, "receipt.js": 4_000, "scan.js": 2_000}  # gzip bytes


def manifest() -> dict[str, str]:
    table: dict[str, str] = json.loads((DIST / "manifest.json").read_text("utf-8"))
    return table


def test_every_entry_of_the_manifest_is_there_and_packed_twice() -> None:
    for name in manifest().values():
        plain = (DIST / name).read_bytes()
        assert gzip.decompress((DIST / f"{name}.gz").read_bytes()) == plain
        assert (DIST / f"{name}.br").stat().st_size < len(plain)


def test_addresses_carry_the_hash_of_the_content() -> None:
    for source in ("app.css", "app.js", "chart.js", "receipt.js", "scan.js"):
        assert re.fullmatch(re.escape(STATIC_URL) + r"[a-z]+-[A-Z0-9]{8}\.(css|js)", asset(source))


def test_an_unknown_asset_is_an_error_and_no_empty_address() -> None:
    with pytest.raises(KeyError):
        asset("missing.css")


@pytest.mark.parametrize(("source", "budget"), BUDGET.items())
def test_first_loads_stay_small(source: str, budget: int) -> None:
    assert (DIST / f"{manifest()[source]}.gz").stat().st_size <= budget


def test_what_the_worker_keeps_exists() -> None:
    worker = (DIST / "sw.js").read_text("utf-8")
    kept = re.findall(re.escape(STATIC_URL) + r"([\w.-]+\.\w+)", worker)
    assert kept
    assert all((DIST / name).is_file() for name in kept)


def test_no_built_file_loads_anything_from_another_host() -> None:
    for path in DIST.glob("*.css"):
        assert not re.search(r"url\(\s*[\"']?(https?:)?//", path.read_text("utf-8"))
    sheets = [path.read_text("utf-8") for path in DIST.glob("app-*.js")]
    assert not any("unpkg" in sheet or "jsdelivr" in sheet for sheet in sheets)


def test_an_icon_is_hidden_from_readers_unless_it_has_a_label() -> None:
    assert 'aria-hidden="true"' in icon("lock")
    assert 'role="img" aria-label="&lt;b&gt;"' in icon("lock", "<b>")


def test_every_listed_icon_is_drawn() -> None:
    lines = [line.strip() for line in (FRONTEND / "icons.txt").read_text("utf-8").splitlines()]
    listed = {line.split(" = ")[0] for line in lines if line and not line.startswith("#")}
    drawn: dict[str, str] = json.loads((DIST / "icons.json").read_text("utf-8"))
    assert set(drawn) == listed
    assert all(re.fullmatch(r"(<path d=\"[^\"<>]+\"/>)+", drawing) for drawing in drawn.values())


def test_the_lock_file_names_no_registry_and_every_shipped_part_has_its_licence() -> None:
    lock = json.loads((FRONTEND / "package-lock.json").read_text("utf-8"))
    assert not any("resolved" in package for package in lock["packages"].values())
    licences = (DIST / "licences.txt").read_text("utf-8")
    parts = json.loads((FRONTEND / "package.json").read_text("utf-8"))["dependencies"]
    assert all(f"{name} {version} (" in licences for name, version in parts.items())
