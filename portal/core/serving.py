"""The web server: one process loads the application, then forks as many as are asked for; each answers for itself.

What was loaded is shared by all of them, so the second costs neither its start nor its memory. On Linux each has a
listening socket of its own on the port (SO_REUSEPORT), among which the kernel spreads the connections: one socket for
all would give nearly every connection to whichever process woke first. The first process keeps the sockets, so that a
connection that comes while one of the others is replaced waits for it.
"""

import contextlib
import gc
import logging
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any

import uvicorn

from portal.core.launch import die_with_parent
from portal.core.settings import Settings

App = Callable[..., Any]  # an ASGI application
logger = logging.getLogger(__name__)
SPREADS = sys.platform == "linux"  # elsewhere the last socket bound would get every connection
STOPS = (signal.SIGTERM, signal.SIGINT)


def serve(make: Callable[[], App], settings: Settings) -> None:
    """Answer on the settings' port until SIGTERM or SIGINT. The port must be free."""
    gc.disable()  # nothing that start-up makes is garbage; the application turns the collector on when it is ready
    app = make()
    count = settings.workers
    sockets = [_bound(settings) for _ in range(count if SPREADS else 1)]
    if count == 1:
        _server(app, settings).run(sockets)
        return
    gc.freeze()  # a look for garbage would write into every page of memory that is shared
    fork = multiprocessing.get_context("fork")
    parent = os.getpid()

    def begin(place: int) -> BaseProcess:
        process = fork.Process(target=_answer, args=(app, settings, sockets[place % len(sockets)], parent))
        process.start()
        return process

    signal.raise_signal(_Crew(begin, count).keep())  # the command cleans up as with one process


def _bound(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    one = socket.socket(family)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if SPREADS:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    one.bind((settings.host, settings.port))
    return one


def _server(app: App, settings: Settings) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        loop="auto",
        http="httptools",
        ws="none",
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=3,  # open event streams do not hold the stop
    )
    return uvicorn.Server(config)


def _answer(app: App, settings: Settings, on: socket.socket, parent: int) -> None:
    """What a forked process does."""
    die_with_parent(parent, signal.SIGKILL)  # at once: it would keep the port from the parent's successor
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the parent's handlers look after what is the parent's
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
    with contextlib.suppress(KeyboardInterrupt):
        _server(app, settings).run([on])


class _Crew:
    """Processes that are kept running until a signal stops them."""

    def __init__(self, begin: Callable[[int], BaseProcess], count: int) -> None:
        self._begin = begin
        self._count = count
        self._running: dict[int, BaseProcess] = {}
        self._stopped_by: int | None = None

    def keep(self) -> int:
        """Replace what is killed. When a signal came and all have ended, return the signal.

        One that ends by itself cannot work as things are, and neither could its successor: SystemExit, with its code.
        """
        before = {number: signal.signal(number, self._stop) for number in STOPS}
        try:
            while self._stopped_by is None or self._running:
                self._fill()
                wait([process.sentinel for process in self._running.values()])
                self._look()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return self._stopped_by

    def _stop(self, number: int, _frame: object) -> None:
        self._stopped_by = number
        for process in self._running.values():
            process.terminate()

    def _fill(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)  # none is lost between a fork and what it is told by
        try:
            for place in range(self._count if self._stopped_by is None else 0):
                if place not in self._running:
                    self._running[place] = self._begin(place)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)

    def _look(self) -> None:
        for place, process in list(self._running.items()):
            if process.exitcode is None:
                continue
            del self._running[place]
            if self._stopped_by is not None:
                continue
            if process.exitcode >= 0:
                self._stop(signal.SIGTERM, None)
                for other in self._running.values():
                    other.join()
                raise SystemExit(process.exitcode or 1)
            logger.warning("a web process was killed and is replaced", extra={"signal": -process.exitcode})
