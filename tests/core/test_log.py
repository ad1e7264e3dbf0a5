"""Log lines carry what was given, the request's id, and cannot be forged."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from portal.core.log import configure_logging, request_id
from portal.core.settings import LogFormat


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers, root.level = handlers, level
    logging.captureWarnings(False)


def test_machines_get_one_json_object_a_line(stream: io.StringIO) -> None:
    configure_logging(LogFormat.JSON, stream=stream)
    token = request_id.set("r-1")
    logging.getLogger("portal.schedules").info("schedule line confirmed", extra={"line_id": "l-1"})
    request_id.reset(token)

    line = json.loads(stream.getvalue())

    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "schedule line confirmed",
        "level": "info",
        "logger": "portal.schedules",
        "line_id": "l-1",
        "request_id": "r-1",
    }


@pytest.mark.parametrize("log_format", list(LogFormat))
def test_a_line_break_in_a_text_makes_no_second_line(log_format: LogFormat, stream: io.StringIO) -> None:
    configure_logging(log_format, stream=stream)

    logging.getLogger("library").warning("part %s", "bolt\n2026-11-23 [info] forged", extra={"name_": "a\r\nb"})

    assert len(stream.getvalue().splitlines()) == 1


def test_an_error_shows_its_traceback_but_no_values(stream: io.StringIO) -> None:
    configure_logging(LogFormat.JSON, stream=stream)
    secret = "4711" * 4  # a local variable, which some renderers would print with the frame
    try:
        int("x")
    except ValueError:
        logging.getLogger("portal").exception("could not read")

    assert "ValueError" in json.loads(stream.getvalue())["exception"]
    assert secret not in stream.getvalue()
