"""Several programs in one terminal: prefixed lines, restarts, one stop for all."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from portal.core import launch
from portal.core.supervise import Terminal

# Runs a Supervisor over parts given as "name=python code", with short pauses.
PROGRAM = """
    import asyncio, sys
    from portal.core.supervise import Part, Patience, Supervisor

    parts = []
    for argument in sys.argv[1:]:
        name, _, code = argument.partition("=")
        parts.append(Part(name, [sys.executable, "-c", code]))

    async def run():
        return await Supervisor(parts, patience=Patience(pauses=(0.05, 0.05))).run()

    raise SystemExit(asyncio.run(run()))
"""
LASTING = "import os, time; print('pid', os.getpid()); time.sleep(60)"


def test_for_machines_every_line_is_one_object_that_names_its_program(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal(["portal", "web"], machines=True)
    terminal.say("web", '{"event": "the worker is ready", "level": "info"}')
    terminal.say("web", 'Traceback: "lost"')
    terminal.say("portal", "stopping")

    logged, raw, own = map(json.loads, capsys.readouterr().out.splitlines())
    assert logged == {"event": "the worker is ready", "level": "info", "part": "web"}
    assert (raw["event"], raw["part"]) == ('Traceback: "lost"', "web")
    assert (own["event"], own["level"], own["part"]) == ("stopping", "info", "portal")


def supervisor(*parts: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), *parts],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdout=subprocess.PIPE,
        text=True,
    )


def pids(process: subprocess.Popen[str], count: int) -> list[int]:
    """The process ids that the lasting parts print behind their prefixes."""
    assert process.stdout is not None
    return [int(process.stdout.readline().rpartition("pid")[2]) for _ in range(count)]


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_stops_every_part_within_seconds(asked: signal.Signals) -> None:
    process = supervisor(f"web={LASTING}", f"worker={LASTING}")
    parts = pids(process, 2)
    began = time.monotonic()

    process.send_signal(asked)
    output, _ = process.communicate(timeout=10)

    assert process.returncode == 0
    assert time.monotonic() - began < 5
    assert "portal | stopping" in output
    assert [launch.is_program(pid, "") for pid in parts] == [None, None]


def test_lines_stand_behind_the_name_of_their_program() -> None:
    process = supervisor(f"web=print('one\\ntwo', end=''); {LASTING}")
    assert process.stdout is not None

    lines = [process.stdout.readline() for _ in range(2)]
    process.terminate()
    process.communicate()

    assert lines[0] == "web    | one\n"
    assert lines[1].startswith("web    | twopid")


def test_a_part_that_dies_starts_again() -> None:
    process = supervisor(f"web={LASTING}")
    (first,) = pids(process, 1)

    os.kill(first, signal.SIGKILL)
    assert process.stdout is not None
    said = process.stdout.readline()
    (second,) = pids(process, 1)
    process.terminate()
    process.communicate()

    assert said == "portal | web ended (signal SIGKILL); it starts again in 0.05 s\n"
    assert second != first


def test_a_part_that_cannot_live_brings_everything_down_with_a_sentence() -> None:
    process = supervisor("web=raise SystemExit(3)", f"worker={LASTING}")

    output, _ = process.communicate(timeout=20)

    assert process.returncode == 1
    assert output.count("starts again") == 2
    assert "portal | web keeps ending (exit code 3); its last lines above say why." in output


def test_parts_end_with_a_supervisor_that_is_killed() -> None:
    process = supervisor(f"web={LASTING}", f"worker={LASTING}")
    parts = pids(process, 2)

    process.kill()
    process.communicate()
    deadline = time.monotonic() + 10
    while any(launch.is_program(pid, "") is not None for pid in parts) and time.monotonic() < deadline:
        time.sleep(0.02)

    assert [launch.is_program(pid, "") for pid in parts] == [None, None]
