"""The one place that asks what time it is. Rules take `now` and `today` as arguments."""

from datetime import UTC, datetime


def now() -> datetime:
    """The instant, aware, UTC."""
    return datetime.now(UTC)
