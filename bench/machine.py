"""What a run is measured on, and what a process has used. Linux only: the figures come from /proc."""

import os
import platform
from pathlib import Path

from portal.core.embedded import bin_dir

PROC = Path("/proc")


def describe() -> dict[str, str | int]:
    """The machine, for the results: figures of two machines are not compared in seconds."""
    info = (PROC / "cpuinfo").read_text("utf-8")
    models = [line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": os.cpu_count() or 1,
        "memory_mb": memory // 2**20,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "postgresql": bin_dir().parent.parent.name,
        "load": f"{os.getloadavg()[0]:.2f}",
    }


def family(pid: int) -> list[int]:
    """A process and what it has forked."""
    forked = (PROC / str(pid) / "task" / str(pid) / "children").read_text("ascii").split()
    return [pid, *(each for child in forked for each in family(int(child)))]


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and its forks so far, all threads, user and system, to the nanosecond."""
    total = 0
    for one in family(pid):
        for task in (PROC / str(one) / "task").iterdir():
            total += int((task / "schedstat").read_text("ascii").split()[0])
    return total / 1e9


def forget_peak(pid: int) -> None:
    """Let the peak of the memory of a process and its forks be counted anew from what they hold now."""
    for one in family(pid):
        (PROC / str(one) / "clear_refs").write_text("5", "ascii")


def peak_mb(pid: int) -> float:
    """The largest resident memory of a process, or of one of its forks, since `forget_peak`, in MB."""
    return max(_peak_mb(one) for one in family(pid))


def _peak_mb(pid: int) -> float:
    try:
        status = (PROC / str(pid) / "status").read_text("ascii")
    except (FileNotFoundError, ProcessLookupError):
        status = ""
    peaks = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return round(int(next(peaks, 0)) / 1024, 1)  # 0 of a fork that ended between being listed and being asked
