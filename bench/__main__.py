"""`python -m bench [--cases a,b] [--reference]`: measure, print a table, write bench/results/latest.json."""

import argparse
import sys
from collections.abc import Sequence

import uvloop
from rich.console import Console

from bench import report
from bench.cases import CASES
from bench.databases import running
from bench.harness import Case, Result
from portal.core.memory import settle


def chosen(names: str | None) -> list[Case]:
    """The cases to run, in the order of the table; all without names."""
    if not names:
        return list(CASES.values())
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in CASES]
    if unknown:
        sys.exit(f"bench: there is no case {', '.join(unknown)}. There are: {', '.join(CASES)}.")
    return [CASES[name] for name in wanted]


async def measure(cases: Sequence[Case], console: Console, results: list[Result]) -> None:
    """One case after the other, each with the machine to itself as far as we can; what is measured stays."""
    with running() as databases:
        for case in cases:
            console.print(f"measuring {case.name} ...")
            results.append(await case.run(databases))
            console.print(f"  {report.shown(results[-1].value, results[-1].unit)}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description="Measure the portal beside its ceilings.")
    parser.add_argument("--cases", help="names with commas; all without it: " + ", ".join(CASES))
    parser.add_argument("--reference", action="store_true", help="store this run as what later runs are compared with")
    options = parser.parse_args()
    cases, console = chosen(options.cases), Console(width=None if sys.stdout.isatty() else 120)
    results: list[Result] = []
    settle()  # the services that are measured in this process run in one of the portal's that did
    try:
        uvloop.run(measure(cases, console, results))
    finally:  # an hour of measuring is not lost to the case that fails at its end
        report.show(results, cases, console)
        report.write(results, report.LATEST)
    if options.reference:
        report.write(results, report.REFERENCE)


if __name__ == "__main__":
    main()
