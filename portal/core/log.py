"""Logging: everybody uses stdlib loggers, structlog renders them - text for terminals, JSON for machines.

A message is a constant sentence; what varies goes in `extra`: ids, never names, prices or texts of people.
"""

import logging
import sys
from contextvars import ContextVar
from typing import TextIO

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from portal.core.settings import LogFormat

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def configure_logging(log_format: LogFormat, level: str = "info", stream: TextIO = sys.stderr) -> None:
    """Send every logger of this process, ours and the libraries', through one handler."""
    handler = logging.StreamHandler(stream)
    # A person at a terminal reads the time of day; machines compare instants.
    clock = structlog.processors.TimeStamper("iso") if log_format is LogFormat.JSON else _TIME_OF_DAY
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_CHAIN, clock],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(log_format, stream)],
        )
    )
    logging.captureWarnings(True)
    # No line of ours shows them, and to find them costs each line a tenth.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for chatty in ("uvicorn.access", "asyncio", "httpx", "alembic.runtime.plugins"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _request(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Every line of one request can be found by its id. The copy of a message that uvicorn colours is dropped."""
    event.pop("color_message", None)
    if (current := request_id.get()) is not None:
        event.setdefault("request_id", current)
    return event


def _one_line(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Nobody forges a log line by sending a line break in a text that some library logs."""
    text = str(event["event"])
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    event["event"] = text
    return event


def _renderers(log_format: LogFormat, stream: TextIO) -> list[Processor]:
    if log_format is LogFormat.JSON:
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    console = structlog.dev.ConsoleRenderer(
        colors=stream.isatty(), pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
    )
    return [_one_line, console]


_CHAIN: list[Processor] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    _request,
]
_TIME_OF_DAY = structlog.processors.TimeStamper("%H:%M:%S", utc=False)
