"""What a person does about their second factor, noted in the history of every company that they act for."""

from uuid import UUID

from portal.accounts import identity, second_factor
from portal.accounts.identity import Signed
from portal.accounts.rules_factor import CodeMissing
from portal.accounts.second_factor import SetUp
from portal.accounts.service_joining import WrongPassword, own_row
from portal.core.db import unit_of_work
from portal.core.journal import Subject, record


async def begin(signed: Signed, password: str, network: str) -> SetUp:
    """Begin to set up an app; the password says that it is still the person. Raises WrongPassword or FactorThere."""
    await _check_password(signed, password, network)
    return await second_factor.begin(signed.user_id, signed.email)


async def confirm(signed: Signed, code: str) -> list[str]:
    """The first code of the app: from now on codes are asked. Returns the recovery codes, which nobody shows again."""
    codes = await second_factor.confirm(signed.user_id, code, signed.session_id)
    await _note(signed.user_id, "factor_set_up")
    return codes


async def remove(signed: Signed, password: str, code: str, network: str) -> None:
    """Remove it, with a code or with the password. Raises what both raise, or CodeMissing without either."""
    if code:
        await second_factor.prove(signed.user_id, code)
    elif password:
        await _check_password(signed, password, network)
    else:
        raise CodeMissing(field="code")
    await second_factor.remove(signed.user_id)
    await _note(signed.user_id, "factor_removed")


async def renew_codes(signed: Signed, code: str) -> list[str]:
    """Ten new recovery codes; the old ones end."""
    codes = await second_factor.renew_codes(signed.user_id, code)
    await _note(signed.user_id, "recovery_codes_renewed")
    return codes


async def remove_by_operator(email: str) -> None:
    """A person lost phone and codes. Their sessions end. Raises NotFound or FactorMissing."""
    await _note(await second_factor.remove_by_operator(email), "factor_removed")


async def _check_password(signed: Signed, password: str, network: str) -> None:
    if await identity.check_sign_in(signed.email, password, network) is None:
        raise WrongPassword(field="password")


async def _note(user_id: UUID, verb: str) -> None:
    """That it was done, and nothing of the secret."""
    for company in await identity.companies_of(user_id):
        actor = company.live.actor
        async with unit_of_work(actor) as session:
            member = await own_row(session, actor)
            member.version += 1
            record(session, actor, Subject("member", member.id, member.party_id, member.version), verb)
