"""People with a second factor, and what their phone shows."""

from portal.accounts import rules_factor, second_factor, service_factor
from portal.core import clock
from tests.accounts.makers import PASSWORD, Person, signed

# A code of this step stays right for half a minute, the one of the next step for a whole one: no test is so slow.


def shown(secret: str, ahead: int = 0) -> str:
    """What the phone shows now, or so many steps ahead."""
    return rules_factor.code_at(secret, rules_factor.step_of(clock.now()) + ahead)


def used(secret: str) -> str:
    """A code that is right but not after the last one used, in whichever step that was and we are now."""
    return shown(secret, -1)


def wrong(secret: str) -> str:
    """Six digits that no step near by has."""
    near = {shown(secret, ahead) for ahead in range(-3, 4)}
    return next(code for code in ("123456", "234567", "345678", "456789") if code not in near)


async def enrolled(person: Person) -> tuple[str, list[str]]:
    """The person sets up an app: its secret and the recovery codes. The code of this step is used up (`used`)."""
    await service_factor.begin(await signed(person), PASSWORD, f"net-{person.email}")
    secret = (await second_factor.begun(person.user_id, person.email)).secret
    return secret, await service_factor.confirm(await signed(person), shown(secret))
