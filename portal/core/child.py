"""Work on a stranger's file in a process of its own, with a lid on its memory and its time.

The child gets the file on its standard input and no environment of ours; it answers with plain bytes, never with
objects that run code when read. It calls `close_the_lid` before it looks at the file. What becomes of it is one of
four things: an answer, too slow, too much memory, or a failure that the log explains.
"""

import logging
import os
import subprocess
import sys
from pathlib import Path

logger = logging.getLogger(__name__)
MB = 1024 * 1024
STOPPED_BY_CLOCK = -24  # SIGXCPU; named by number because not every system knows it


class ChildTooSlow(Exception):
    """The child used up its processor time, or twice that by the clock on the wall."""


class ChildTooLarge(Exception):
    """The child needed more memory than the lid allows."""


class ChildFailed(Exception):
    """The child ended without an answer."""


def answer_of(function: str, source: Path | bytes, arguments: list[str], seconds: int) -> bytes:
    """Run `package.module:function` on the file in a child and return what it wrote. Blocks for at most 2 * seconds.

    Raises ChildTooSlow, ChildTooLarge or ChildFailed.
    """
    module, _, name = function.partition(":")
    command = [sys.executable, "-c", f"from {module} import {name}; {name}()", *arguments]
    environment = {"PYTHONPATH": os.pathsep.join(path or "." for path in sys.path), "PYTHONUTF8": "1"}
    longest = 2 * seconds  # the child counts processor time only, and a busy machine gives it half
    try:
        if isinstance(source, bytes):
            done = subprocess.run(command, env=environment, input=source, capture_output=True, timeout=longest)
        else:
            with source.open("rb") as file:
                done = subprocess.run(command, env=environment, stdin=file, capture_output=True, timeout=longest)
    except subprocess.TimeoutExpired:
        raise ChildTooSlow from None
    if done.returncode == STOPPED_BY_CLOCK:
        raise ChildTooSlow
    if done.returncode < 0 or b"MemoryError" in done.stderr:  # Rust aborts when memory is refused, the kernel kills
        raise ChildTooLarge
    if done.returncode:
        logger.error(
            "a child failed", extra={"work": function, "stderr": done.stderr[-2000:].decode("utf-8", "replace")}
        )
        raise ChildFailed
    return done.stdout


def close_the_lid(memory: int, seconds: int) -> None:
    """In the child: bound memory in bytes and processor time, and forbid writing files.

    Does nothing where the system has no such limits.
    """
    try:
        import resource
    except ImportError:
        return
    for limit, most in (
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_AS, memory + 128 * MB),  # libraries mapped but not used count here
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(limit)[1]
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        # At the soft limit of time the system says why it stops the process; at the hard one it only kills.
        resource.setrlimit(limit, (allowed, hard if limit == resource.RLIMIT_CPU else allowed))
