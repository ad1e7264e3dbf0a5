"""Running several programs in one terminal: one output with prefixes, one Ctrl-C, restarts when one dies."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from portal.core import clock
from portal.core.launch import die_with_parent
from portal.core.settings import StartError

_STOP_SECONDS = 8.0
_MEND_SECONDS = 0.5
_COLOURS = (36, 35, 34, 33)  # cyan, magenta, blue, yellow


@dataclass(frozen=True)
class Part:
    """One program to keep running."""

    name: str
    command: Sequence[str]


@dataclass(frozen=True)
class Patience:
    """How a part that dies is restarted: after growing pauses, and not for ever."""

    pauses: Sequence[float] = (0.3, 1.0, 2.0, 4.0, 8.0)  # seconds before each restart
    steady: float = 30.0  # having lived this many seconds, a part has all its restarts again


@dataclass
class Terminal:
    """Lines of several programs, each behind the name of its program; for machines, in the objects that they log."""

    names: Sequence[str]
    machines: bool = False
    colours: bool = field(default_factory=lambda: sys.stdout.isatty())

    def say(self, name: str, text: str) -> None:
        if self.machines:
            sys.stdout.write(f"{_object(name, text)}\n")
            sys.stdout.flush()
            return
        label = name.ljust(max(map(len, self.names), default=0))
        if self.colours:
            colour = _COLOURS[self.names.index(name) % len(_COLOURS)] if name in self.names else 32
            label = f"\x1b[{colour}m{label}\x1b[0m"
        sys.stdout.write(f"{label} | {text}\n")
        sys.stdout.flush()


class Supervisor:
    """Starts the parts, restarts what dies, stops all on SIGINT or SIGTERM. `run` returns the exit code."""

    def __init__(
        self,
        parts: Sequence[Part],
        mend: Callable[[], Sequence[str]] = tuple,
        patience: Patience | None = None,
        *,
        machines: bool = False,
    ) -> None:
        self._parts = parts
        self._mend = mend
        self._patience = patience or Patience()
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._failed = False
        self._stop = asyncio.Event()
        self.terminal = Terminal(["portal", *(part.name for part in parts)], machines)

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._stop.set)
        tasks = [asyncio.create_task(self._keep(part)) for part in self._parts]
        tasks.append(asyncio.create_task(self._mending()))
        await self._stop.wait()
        self._say("stopping")
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._signal_all, signal.SIGKILL)  # asked twice: at once
        self._signal_all(signal.SIGTERM)
        done, late = await asyncio.wait(tasks, timeout=_STOP_SECONDS)
        if late:
            self._signal_all(signal.SIGKILL)
            await asyncio.wait(late)
        for task in done | late:
            task.result()
        return 1 if self._failed else 0

    def fail(self, sentence: str) -> None:
        """Say why and bring everything down."""
        self._say(sentence)
        self._failed = True
        self._stop.set()

    def _say(self, text: str) -> None:
        self.terminal.say("portal", text)

    def _signal_all(self, number: signal.Signals) -> None:
        for process in self._processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)

    async def _keep(self, part: Part) -> None:
        pauses = iter(self._patience.pauses)
        while not self._stop.is_set():
            began = time.monotonic()
            code = await self._run_once(part)
            if self._stop.is_set():
                return
            if time.monotonic() - began > self._patience.steady:
                pauses = iter(self._patience.pauses)
            pause = next(pauses, None)
            if pause is None:
                self.fail(f"{part.name} keeps ending ({_ending(code)}); its last lines above say why.")
                return
            self._say(f"{part.name} ended ({_ending(code)}); it starts again in {pause:g} s")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stop.wait()

    async def _run_once(self, part: Part) -> int:
        parent = os.getpid()
        process = await asyncio.create_subprocess_exec(
            *part.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches only us, and we stop the parts in order
            preexec_fn=lambda: die_with_parent(parent, signal.SIGTERM),
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self._processes[part.name] = process
        try:
            await self._copy_output(part.name, process)
            return await process.wait()
        finally:
            del self._processes[part.name]

    async def _copy_output(self, name: str, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        rest = b""
        while chunk := await process.stdout.read(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self.terminal.say(name, line.decode(errors="replace"))
        if rest:
            self.terminal.say(name, rest.decode(errors="replace"))

    async def _mending(self) -> None:
        """Look after the embedded services. Starting one blocks this loop for a moment, as its parent must."""
        while not self._stop.is_set():
            try:
                for name in self._mend():
                    self._say(f"{name} had ended and was started again")
            except StartError as error:
                self.fail(str(error))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_MEND_SECONDS):
                    await self._stop.wait()


def _object(name: str, text: str) -> str:
    """A line as one JSON object that names its program: the program's own object, or its words in one."""
    if text.startswith("{") and text.endswith("}"):
        return f'{text[:-1]}, "part": {json.dumps(name)}}}'
    said = {"event": text, "level": "info", "timestamp": clock.now().isoformat(), "part": name}
    return json.dumps(said, ensure_ascii=False)


def _ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
