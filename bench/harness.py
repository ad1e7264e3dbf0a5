"""How a case is measured: warmed up, at least five times, alternating with its ceiling, as medians."""

import gc
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.databases import Databases

RUNS = 7
Measure = Callable[[], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Target:
    """What a case has to reach. `least_*`: not below; `most_*`: not above."""

    least_ratio: float | None = None
    most_ratio: float | None = None
    least: float | None = None
    most: float | None = None
    most_p99: float | None = None  # seconds

    def text(self) -> str:
        bounds = (
            (self.least_ratio, "≥ {:g}×"),
            (self.most_ratio, "≤ {:g}×"),
            (self.least, "≥ {:g}/s"),
            (self.most, "≤ {:g} s"),
            (self.most_p99, "p99 ≤ {:g} s"),
        )
        return ", ".join(form.format(bound) for bound, form in bounds if bound is not None)

    def reached(self, result: "Result") -> bool:
        ratio = result.ratio or 0
        return (
            (self.least_ratio is None or ratio >= self.least_ratio)
            and (self.most_ratio is None or ratio <= self.most_ratio)
            and (self.least is None or result.value >= self.least)
            and (self.most is None or result.value <= self.most)
            and (self.most_p99 is None or (result.p99 is not None and result.p99 <= self.most_p99))
        )


@dataclass(frozen=True, slots=True)
class Result:
    """One case as measured. `value`, `ceiling` and `runs` are in `unit`; `p99` in seconds."""

    case: str
    unit: str
    value: float
    ceiling: float | None
    ratio: float | None
    peak_mb: float
    runs: list[float]
    p99: float | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One figure: what it measures stands in the docstring of `run`."""

    name: str
    target: Target
    run: Callable[[Databases], Awaitable[Result]]


async def alternate(case: Measure, ceiling: Measure, runs: int = RUNS) -> tuple[list[float], list[float]]:
    """Both by turns, once for warming up and then `runs` times; who goes first changes, so that neither gains by it."""
    figures: tuple[list[float], list[float]] = ([], [])
    for n in range(runs + 1):
        order = (0, 1) if n % 2 else (1, 0)
        for which in order:
            figure = await (case, ceiling)[which]()
            if n:
                figures[which].append(figure)
    return figures


async def repeat(case: Measure, runs: int = RUNS) -> list[float]:
    """A case without ceiling: once for warming up and then `runs` times."""
    return [await case() for _ in range(runs + 1)][1:]


def costs(name: str, unit: str, case: Sequence[float], ceiling: Sequence[float], peak: float) -> Result:
    """A case where less is better: ceiling / case, so 1 is as cheap as the bare work."""
    value, bare = median(case), median(ceiling)
    return Result(name, unit, value, bare, bare / value, peak, list(case))


def rates(name: str, unit: str, case: Sequence[float], ceiling: Sequence[float], peak: float) -> Result:
    """A case where more is better: case / ceiling."""
    value, bare = median(case), median(ceiling)
    return Result(name, unit, value, bare, value / bare, peak, list(case))


def alone(name: str, case: Sequence[float], peak: float) -> Result:
    """A case in seconds that has no ceiling."""
    return Result(name, "s", median(case), None, None, peak, list(case))


def calm() -> None:
    """Collect this process's garbage before a measurement instead of in it."""
    gc.collect()
