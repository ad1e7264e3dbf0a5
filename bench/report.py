"""The table of a run, its file, and what got slower since the stored reference."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import machine
from bench.harness import Case, Result

RESULTS = Path(__file__).parent / "results"
LATEST = RESULTS / "latest.json"
REFERENCE = RESULTS / "reference.json"
SLOWER = 1.15  # what moves less than this between two runs is noise
GROWTH = {"board_1m", "list_growth", "reminders_10k"}  # whose ratio says how much more time it takes
RATES = {"/s", "rows/s"}  # units in which more is better


def document(results: Sequence[Result]) -> dict[str, Any]:
    """A run as it is stored: the machine, and each case without the fields it does not have."""
    cases = []
    for result in results:
        fields = asdict(result)
        if result.p99 is None:
            del fields["p99"]
        cases.append(fields)
    return {"machine": machine.describe(), "cases": cases}


def write(results: Sequence[Result], path: Path) -> None:
    """Store a run. The reference keeps the cases that were not measured this time; `latest` is one run alone."""
    kept = _read(path)["cases"] if path == REFERENCE else []
    new = document(results)
    measured = {case["case"] for case in new["cases"]}
    new["cases"] = sorted(
        [*new["cases"], *(case for case in kept if case["case"] not in measured)], key=lambda case: str(case["case"])
    )
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(new, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {"machine": {}, "cases": []}
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def slower(results: Sequence[Result], reference: dict[str, Any]) -> list[str]:
    """One sentence a case that got worse by more than 15 % against the reference.

    Cases with a ceiling are compared by their ratio, which does not depend on the machine; seconds and rates only with
    a reference of the same kind of processor.
    """
    before = {case["case"]: case for case in reference["cases"]}
    same_machine = reference["machine"].get("cpu") == machine.describe()["cpu"]
    found = []
    for result in results:
        old = before.get(result.case)
        if old is None:
            continue
        if result.ratio is not None and old["ratio"] is not None:
            worse = result.ratio / old["ratio"] if result.case in GROWTH else old["ratio"] / result.ratio
            figures = f"ratio {old['ratio']:.2f} before, {result.ratio:.2f} now"
        elif same_machine:
            worse = old["value"] / result.value if result.unit in RATES else result.value / old["value"]
            figures = f"{shown(old['value'], result.unit)} before, {shown(result.value, result.unit)} now"
        else:
            continue
        if worse > SLOWER:
            found.append(f"{result.case} got slower: {figures}.")
    return found


def shown(value: float | None, unit: str) -> str:
    """A figure with its unit, in digits that can be read."""
    if value is None:
        return "–"
    if unit in RATES:
        return f"{value:,.0f} {unit}"
    return f"{value * 1000:,.2f} ms" if value < 0.1 else f"{value:.3f} s"


def show(results: Sequence[Result], cases: Sequence[Case], console: Console) -> None:
    """The table, then what got slower."""
    targets = {case.name: case.target for case in cases}
    table = Table(title="make bench")
    for head in ("case", "value", "ceiling", "ratio", "target", "", "peak MB", "spread"):
        table.add_column(head, no_wrap=True)
    for result in results:
        target = targets[result.case]
        mark = "[green]reached[/]" if target.reached(result) else "[red]missed[/]"
        table.add_row(
            result.case,
            shown(result.value, result.unit),
            shown(result.ceiling, result.unit),
            "–" if result.ratio is None else f"{result.ratio:.2f}",
            target.text(),
            mark,
            f"{result.peak_mb:.0f}",
            f"{shown(min(result.runs), result.unit)} to {shown(max(result.runs), result.unit)}",
        )
    console.print(table)
    for sentence in slower(results, _read(REFERENCE)):
        console.print(f"[yellow]{sentence}[/]")
