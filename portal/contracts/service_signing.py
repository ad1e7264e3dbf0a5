"""How whoever accepts proves to be the person: signed in, and with a one-time code where the workspace asks for it."""

from dataclasses import replace
from enum import StrEnum

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts import second_factor
from portal.accounts.service_acceptance import asks_for_code
from portal.contracts.rules_life import PeopleAccept
from portal.core.actor import Actor, Channel, Origin


class Signing(StrEnum):
    """What the page of a contract asks of this reader before an acceptance."""

    PLAIN = "plain"  # nothing more
    CODE = "code"  # a one-time code
    SET_UP = "set_up"  # a code, and there is no second factor yet to make one


async def signing(session: AsyncSession, actor: Actor) -> Signing:
    """What is asked of this reader."""
    if not await asks_for_code(session, actor):
        return Signing.PLAIN
    return Signing.CODE if await second_factor.is_enrolled(actor) else Signing.SET_UP


async def proven(
    session: AsyncSession, actor: Actor, origin: Origin | None, code: str, *, given: bool = False
) -> Origin | None:
    """Where the acceptance comes from, with what proved its person. Asked once the step itself is allowed.

    given: the word was given before, and only waited for colleagues. Raises PeopleAccept for programs and chats, and
    what `second_factor.prove` raises.
    """
    if given or not await asks_for_code(session, actor):
        return origin
    if actor.channel is not Channel.PAGE:
        raise PeopleAccept
    return replace(origin or Origin(), proof=await second_factor.prove_actor(actor, code))
