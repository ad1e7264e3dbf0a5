"""What it means when something does not answer: whether trying again helps, and whether the work itself is at fault."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from redis.exceptions import ConnectionError as RedisAway
from redis.exceptions import TimeoutError as RedisSlow

from portal.core import db
from portal.core.errors import Unavailable

logger = logging.getLogger(__name__)
AWAY = (*(kind for kind in db.AWAY if kind is not OSError), RedisAway, RedisSlow)


def is_transient(error: BaseException) -> bool:
    """Whether trying again later may help: an outage, or a transaction that lost against another one."""
    lost = asyncpg.TransactionRollbackError
    return is_outage(error) or any(isinstance(each, Unavailable | OSError | lost) for each in _chain(error))


def is_outage(error: BaseException) -> bool:
    """Whether something that we need does not answer now, so that the work itself is at no fault.

    A try that took too long is none: what is slow may be the work. Nor is what somebody must mend first.
    """
    if isinstance(error, TimeoutError):
        return False
    for each in _chain(error):
        if isinstance(each, Unavailable):
            return not each.lasting
        if isinstance(each, AWAY):
            return True
        if isinstance(each, OSError):
            return each.filename is None  # the network's; with a name it is about a file of ours
    return False


def _chain(error: BaseException) -> Iterator[BaseException]:
    below: BaseException | None = error
    while below is not None:
        yield below
        below = getattr(below, "orig", None) or below.__cause__


@contextmanager
def database_may_be_away(doing: str) -> Iterator[None]:
    """The database restarts under us now and then; what could not be done now is found again in the next round."""
    try:
        yield
    except Exception as error:
        if not is_transient(error):
            raise
        logger.warning("the database does not answer the worker", extra={"doing": doing, "error": type(error).__name__})
