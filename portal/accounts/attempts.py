"""Wrong sign-ins are counted by account and by network, wrong one-time codes by person: on Valkey, and in this process
while Valkey is away."""

import asyncio
import hashlib
import ipaddress
import logging
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from portal.core.errors import Unavailable
from portal.core.i18n import N_
from portal.core.settings import get_settings

if TYPE_CHECKING:  # imported at the first use: it is not needed to start
    from limits import RateLimitItem
    from limits.aio.strategies import FixedWindowRateLimiter


class Allowance(NamedTuple):
    """How often something may be done in so many minutes; namespace: what is counted."""

    times: int
    minutes: int
    namespace: str


MINUTES = 15
HERE = Allowance(10, MINUTES, "sign-in")  # one account from one network
ACCOUNT = Allowance(50, MINUTES, "sign-in")  # one account from anywhere
NETWORK = Allowance(100, MINUTES, "sign-in")  # any account from one network
CODES = Allowance(5, MINUTES, "second-factor")  # of one person, from anywhere
Counted = tuple[Allowance, str]  # what is counted, and for whom
logger = logging.getLogger(__name__)


class TooManyAttempts(Unavailable):
    code = "too-many-attempts"
    text = N_("Too many attempts failed. Wait {minutes} minutes, then try again.")


@cache
def _item(allowance: Allowance) -> "RateLimitItem":
    from limits import RateLimitItemPerMinute

    return RateLimitItemPerMinute(allowance.times, allowance.minutes, namespace=allowance.namespace)


@cache
def _shared(url: str, loop: int) -> "FixedWindowRateLimiter":
    from limits.aio.storage import RedisStorage
    from limits.aio.strategies import FixedWindowRateLimiter

    uri = url.replace("unix://", "redis+unix://", 1) if url.startswith("unix://") else url
    return FixedWindowRateLimiter(RedisStorage(f"async+{uri}", implementation="redispy", wrap_exceptions=True))


@cache
def _alone(loop: int) -> "FixedWindowRateLimiter":
    from limits.aio.storage import MemoryStorage
    from limits.aio.strategies import FixedWindowRateLimiter

    return FixedWindowRateLimiter(MemoryStorage())


@cache
def _away() -> tuple[type[Exception], ...]:
    """What is raised while Valkey is away. Imported when it is: a tenth of a second of every start is saved."""
    from limits.errors import StorageError
    from redis.exceptions import RedisError

    return StorageError, RedisError, OSError


def _counters() -> "list[FixedWindowRateLimiter]":
    """The shared counter where there is one, then the process's own."""
    url, loop = get_settings().redis_url, id(asyncio.get_running_loop())
    return [*([_shared(url, loop)] if url else []), _alone(loop)]


def neighbourhood(address: str) -> str:
    """What counts as one network: an IPv4 address, or the /64 that one IPv6 line is given."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((ip, 64), strict=False)) if ip.version == 6 else str(ip)


def _keys(account: str, network: str) -> list[Counted]:
    who = hashlib.sha256(account.encode()).hexdigest()[:32]  # no address of a person in the cache server
    where = neighbourhood(network)
    return [(HERE, f"{who}@{where}"), (ACCOUNT, who), (NETWORK, where)]


async def check(account: str, network: str) -> None:
    """Raise TooManyAttempts when this account or this network has failed too often lately."""
    await _check(_keys(account, network))


async def check_codes(person: UUID) -> None:
    """Raise TooManyAttempts when too many wrong codes of this person came lately."""
    await _check([(CODES, str(person))])


async def _check(keys: Sequence[Counted]) -> None:
    for counter in _counters():
        try:
            for allowance, key in keys:
                if not await counter.test(_item(allowance), key):
                    raise TooManyAttempts(minutes=MINUTES)
        except _away():
            logger.warning("failed attempts are counted by this process alone")
            continue
        return


async def allowed(allowance: Allowance, key: str) -> bool:
    """Count one use of something that may be used so often; False above it."""
    for counter in _counters():
        try:
            return bool(await counter.hit(_item(allowance), key))
        except _away():
            logger.warning("uses are counted by this process alone")
    return True


async def failed(account: str, network: str) -> None:
    """Count one failure."""
    await _failed(_keys(account, network))


async def code_failed(person: UUID) -> None:
    """Count one wrong code."""
    await _failed([(CODES, str(person))])


async def _failed(keys: Sequence[Counted]) -> None:
    for counter in _counters():
        try:
            for allowance, key in keys:
                await counter.hit(_item(allowance), key)
        except _away():
            continue
        return


async def succeeded(account: str, network: str) -> None:
    """The right password came: this account starts anew from this network."""
    await _cleared(_keys(account, network)[0])


async def code_fitted(person: UUID) -> None:
    """The right code came: this person starts anew."""
    await _cleared((CODES, str(person)))


async def _cleared(counted: Counted) -> None:
    allowance, key = counted
    for counter in _counters():
        try:
            await counter.clear(_item(allowance), key)
        except _away():
            continue
        return
