"""The operator's commands for workspaces and people: `portal tenant ...` and `portal user ...`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

import typer

from portal.core.access import Role
from portal.core.errors import NotFound, PortalError
from portal.core.i18n import Language
from portal.core.settings import Settings, StartError

tenant_app = typer.Typer(no_args_is_help=True, help="Workspaces: one per factory.")
user_app = typer.Typer(no_args_is_help=True, help="People who can sign in.")

Email = Annotated[str, typer.Argument(help="The person's e-mail.")]
NewPassword = Annotated[
    str, typer.Option(prompt=True, confirmation_prompt=True, hide_input=True, help="Asked for when left out.")
]


class Refused(StartError):
    """A refusal, in its own sentence."""


def run(work: Callable[[Settings], Awaitable[str]]) -> None:
    """Do one piece of work on the provisioned database and say what came of it."""
    from pydantic import ValidationError

    from portal.core import db, faults
    from portal.core.provision import provisioned
    from portal.core.roles import connect
    from portal.core.schema import require_newest

    async def connected(settings: Settings) -> str:
        owner = await connect(str(settings.database_url))
        try:
            await require_newest(owner)
        finally:
            await owner.close()
        db.configure(settings, pool_size=2)
        try:
            return await work(settings)
        finally:
            await db.dispose()

    with provisioned() as provision:
        try:
            said = asyncio.run(connected(provision.settings))
        except ValidationError as error:
            wrong = error.errors(include_url=False)
            raise Refused("\n".join(f"{faults.place(each)}: {faults.sentence(each)}" for each in wrong)) from error
        except NotFound as error:
            raise Refused("Nobody signs in with this e-mail.") from error
        except PortalError as error:
            raise Refused(str(error)) from error
    typer.echo(said)


@tenant_app.command("create")
def create_tenant(
    code: Annotated[str, typer.Argument(help="Short name of the workspace, for example hengyuan.")],
    name: Annotated[str, typer.Option(help="The factory's name.")],
    admin: Annotated[str, typer.Option(help="E-mail of the first administrator.")],
    admin_name: Annotated[str, typer.Option(help="Name of the first administrator.")],
    time_zone: Annotated[str, typer.Option(help="Zone of the factory, for example Asia/Shanghai.")] = "UTC",
    currency: Annotated[str, typer.Option(help="ISO 4217 code.")] = "USD",
    country: Annotated[str, typer.Option(help="Country of the factory.")] = "",
    language: Annotated[Language, typer.Option(help="Language of the workspace.")] = Language.EN,
) -> None:
    """Make a workspace and print the link by which its first administrator joins."""

    async def work(settings: Settings) -> str:
        from portal.accounts import rules, service_companies

        email, person = rules.checked_email(admin), rules.checked_name(admin_name)
        data = service_companies.CreateTenant(
            code=code, name=name, country=country, time_zone=time_zone, currency=currency.upper(), language=language
        )
        factory = await service_companies.create_tenant(str(settings.database_url), data)
        link = await _invited(settings, factory.tenant_id, factory.party_id, email, person, Role.ADMIN)
        return f"Workspace {code} is there. {person} joins here, within seven days:\n{link}"

    run(work)


async def _invited(settings: Settings, tenant_id: UUID, party_id: UUID, email: str, name: str, role: Role) -> str:
    """Invite a factory's member and return the whole link."""
    from portal.accounts import identity, service
    from portal.core.actor import Actor
    from portal.core.db import unit_of_work

    actor = Actor.system(tenant_id, party_id)
    data = service.InviteMember(email=email, name=name, role=role)
    async with unit_of_work(actor) as session:
        member = await service.invite_member(session, actor, party_id, data)
    found = await identity.open_invitations(tenant_id, [member.id])
    return settings.base_url + identity.invitation_link(found[member.id].id)


@user_app.command("create")
def create_user(
    email: Email,
    name: Annotated[str, typer.Option(help="The person's name.")],
    password: NewPassword,
    tenant: Annotated[str, typer.Option(help="Code of the workspace; without it the person joins by invitation.")] = "",
    role: Annotated[Role, typer.Option(help="Role in the factory of that workspace.")] = Role.ADMIN,
    instance_admin: Annotated[
        bool, typer.Option("--instance-admin", help="Sees the health of the portal and no company's data.")
    ] = False,
) -> None:
    """Make a person who can sign in, as member of a factory or as administrator of the instance."""

    async def work(settings: Settings) -> str:
        from portal.accounts import identity, passwords, rules, service, service_companies, service_joining

        address, person = rules.checked_email(email), rules.checked_name(name)
        rules.check_password(password, (address, person))
        factory = await service_companies.find_tenant(str(settings.database_url), tenant) if tenant else None
        if tenant and factory is None:
            raise Refused(f"There is no workspace with the code {tenant}.")
        await identity.create_user(address, person, await passwords.hashed(password), instance_admin=instance_admin)
        if factory is not None:
            data = service.InviteMember(email=address, name=person, role=role)
            await service_joining.add_member(factory, factory.party_id, data, password)
        return f"{person} can sign in as {address}."

    run(work)


@user_app.command("disable")
def disable_user(email: Email) -> None:
    """Sign a person out everywhere and let them in no more. Keys they made end."""

    async def work(settings: Settings) -> str:
        from portal.accounts import service_joining

        await service_joining.disable_user(email)
        return f"{email} is disabled."

    run(work)


@user_app.command("password")
def reset_password(email: Email, password: NewPassword) -> None:
    """Give a person a new password; all their sessions end."""

    async def work(settings: Settings) -> str:
        from portal.accounts import service_joining

        await service_joining.reset_password(email, password)
        return f"{email} has a new password."

    run(work)


@user_app.command("second-factor")
def second_factor(
    email: Email,
    remove: Annotated[
        bool, typer.Option("--remove", help="For a person who lost the phone and the recovery codes.")
    ] = False,
) -> None:
    """Say whether a person has a second factor, or remove it; removing ends all their sessions."""

    async def work(settings: Settings) -> str:
        from portal.accounts import identity, service_factor

        if remove:
            await service_factor.remove_by_operator(email)
            return f"{email} signs in with the password alone until a second factor is set up again."
        user = await identity.find_user(email)
        if user is None:
            raise NotFound(field="email")
        return f"{email} has {'a' if user.has_factor else 'no'} second factor."

    run(work)
