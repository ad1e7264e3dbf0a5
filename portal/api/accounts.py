"""Companies, sites and people over the interface."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from litestar import Controller, Response, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK
from msgspec import Struct
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts import reads, service, service_calendars, service_companies
from portal.accounts.model import Member, MemberStatus, Party, Site
from portal.accounts.reads import DayRow, MemberRow, PartyRow, SiteRow
from portal.core import paging
from portal.core.access import Role
from portal.core.actor import Actor
from portal.core.days import check_plausible
from portal.core.errors import NotFound
from portal.core.inputs import Input
from portal.core.settings import get_settings
from portal.parameters import FromPath, FromQuery, JSONBody


class PartyState(Struct):
    """What a company became."""

    id: UUID
    code: str
    version: int


class SiteState(Struct):
    """What a site became."""

    id: UUID
    code: str
    version: int


class SiteOut(Struct):
    """One site and its days out of the weekly pattern."""

    site: SiteRow
    days: list[DayRow]


class MemberState(Struct):
    """What a member became."""

    id: UUID
    role: Role
    status: MemberStatus
    restricted: bool
    version: int


class InvitationOut(Struct):
    """The one-time link of somebody who has not joined yet."""

    link: str
    expires_at: datetime | None


class NewSite(service_companies.CreateSite):
    """A site of the own company, or of the one named."""

    party_id: UUID | None = None


class NewMember(service.InviteMember):
    """Somebody for the own company, or for the one named."""

    party_id: UUID | None = None


class ChangeMember(Input):
    """Another role, or what the member may see; what is left out stays."""

    role: Role | None = None
    restriction: service.RestrictMember | None = None


class SetDay(Input):
    """A holiday, or a day worked to make up for one."""

    working: bool
    name: str = Field("", max_length=80, examples=["National Day"])


def tagged(body: Any, version: int) -> Response[Any]:
    """The body with its version as ETag, which the next write carries as If-Match."""
    return Response(body, headers={"ETag": f'"{version}"'})


def party_state(party: Party) -> Response[PartyState]:
    return tagged(PartyState(party.id, party.code, party.version), party.version)


def site_state(site: Site) -> Response[SiteState]:
    return tagged(SiteState(site.id, site.code, site.version), site.version)


def member_state(member: Member) -> Response[MemberState]:
    body = MemberState(member.id, member.role, member.status, member.restricted, member.version)
    return tagged(body, member.version)


def page_of(rows: list[Any], limit: int, *key: str) -> paging.PageOf[Any]:
    """One page of rows that were read one over the limit."""
    more = paging.encode(*(getattr(rows[limit - 1], name) for name in key)) if len(rows) > limit else None
    return paging.PageOf(rows[:limit], more)


class PartyController(Controller):
    path = "/parties"
    tags = ("Companies",)

    @get()
    async def list_parties(
        self,
        actor: NamedDependency[Actor],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int] = 50,
        search: FromQuery[str] = "",
    ) -> paging.PageOf[PartyRow]:
        """Companies by name. A partner sees itself only. `search`: part of a name or code."""
        paging.check_limit(limit)
        after = paging.decode(cursor, str, UUID) if cursor else None
        rows = await reads.list_parties(actor, limit=limit + 1, after=after, find=search)
        return page_of(rows, limit, "name", "id")

    @get("/{party_id:uuid}")
    async def get_party(self, actor: NamedDependency[Actor], party_id: FromPath[UUID]) -> Response[PartyRow]:
        """One company; its ETag is the version that writes carry as If-Match."""
        row = await reads.get_party(actor, party_id)
        return tagged(row, row.version)

    @post()
    async def create_party(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        data: JSONBody[service_companies.CreateParty],
    ) -> Response[PartyState]:
        """Add a customer or supplier. Its code is unique in the workspace."""
        return party_state(await service_companies.create_party(session, actor, data))

    @patch("/{party_id:uuid}")
    async def edit_party(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        party_id: FromPath[UUID],
        data: JSONBody[service_companies.EditParty],
    ) -> Response[PartyState]:
        """Change name, country or trade of a company; what is left out stays."""
        return party_state(await service_companies.edit_party(session, actor, party_id, expected, data))


class SiteController(Controller):
    path = "/sites"
    tags = ("Companies",)

    @get()
    async def list_sites(
        self,
        actor: NamedDependency[Actor],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int] = 50,
        party_id: FromQuery[UUID | None] = None,
    ) -> paging.PageOf[SiteRow]:
        """Sites by code. A partner sees its own."""
        paging.check_limit(limit)
        after = paging.decode(cursor, str, UUID) if cursor else None
        rows = await reads.list_sites(actor, limit=limit + 1, after=after, party_id=party_id)
        return page_of(rows, limit, "code", "id")

    @get("/{site_id:uuid}")
    async def get_site(self, actor: NamedDependency[Actor], site_id: FromPath[UUID]) -> Response[SiteOut]:
        """One site with its holidays and make-up days."""
        site, days = await reads.get_site(actor, site_id)
        return tagged(SiteOut(site, days), site.version)

    @post()
    async def create_site(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        data: JSONBody[NewSite],
    ) -> Response[SiteState]:
        """Add a plant, warehouse or dock. `weekdays`: working days, Monday is 0."""
        party_id = data.party_id or actor.party_id
        return site_state(await service_companies.create_site(session, actor, party_id, data))

    @patch("/{site_id:uuid}")
    async def edit_site(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        site_id: FromPath[UUID],
        data: JSONBody[service_companies.EditSite],
    ) -> Response[SiteState]:
        """Change a site; what is left out stays. Lines that were generated before keep their dates."""
        return site_state(await service_companies.edit_site(session, actor, site_id, expected, data))

    @put("/{site_id:uuid}/days/{day:date}")
    async def set_day(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        site_id: FromPath[UUID],
        day: FromPath[date],
        data: JSONBody[SetDay],
    ) -> Response[SiteState]:
        """Say that a day is a holiday, or worked although the weekly pattern says no."""
        check_plausible(day, "day")
        said = service_calendars.SetDay(day=day, **data.model_dump())
        return site_state(await service_calendars.set_days(session, actor, site_id, [said]))

    @delete("/{site_id:uuid}/days/{day:date}", status_code=HTTP_200_OK)
    async def clear_day(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        site_id: FromPath[UUID],
        day: FromPath[date],
    ) -> Response[SiteState]:
        """Back to the weekly pattern on this day."""
        return site_state(await service_calendars.clear_day(session, actor, site_id, day))

    @post("/{site_id:uuid}/shutdowns", status_code=HTTP_200_OK)
    async def shut_down(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        site_id: FromPath[UUID],
        data: JSONBody[service_calendars.Shutdown],
    ) -> Response[SiteState]:
        """Close a site's working days from the first to the last day, with the reason."""
        return site_state(await service_calendars.shut_down(session, actor, site_id, data))

    @post("/{site_id:uuid}/holidays/{year:int}", status_code=HTTP_200_OK)
    async def take_holidays(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        site_id: FromPath[UUID],
        year: FromPath[int],
    ) -> Response[SiteState]:
        """Enter a year's public holidays of China with their make-up days; days entered before stay as they are."""
        return site_state((await service_calendars.take_holidays(session, actor, site_id, year))[0])

    @put("/{site_id:uuid}/windows")
    async def set_windows(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        site_id: FromPath[UUID],
        data: JSONBody[service_calendars.SetWindows],
    ) -> Response[SiteState]:
        """The hours in which the site takes goods in, by weekday, all of them anew. None: all day."""
        return site_state(await service_calendars.set_windows(session, actor, site_id, data))


class MemberController(Controller):
    path = "/members"
    tags = ("People",)

    @get()
    async def list_members(
        self,
        actor: NamedDependency[Actor],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int] = 50,
        party_id: FromQuery[UUID | None] = None,
    ) -> paging.PageOf[MemberRow]:
        """People by name, the invited ones too. Needs the right to manage people; a partner sees its own."""
        paging.check_limit(limit)
        after = paging.decode(cursor, str, UUID) if cursor else None
        rows = await reads.list_members(actor, limit=limit + 1, after=after, party_id=party_id)
        return page_of(rows, limit, "name", "id")

    @get("/{member_id:uuid}")
    async def get_member(self, actor: NamedDependency[Actor], member_id: FromPath[UUID]) -> Response[MemberRow]:
        """One person: role, and the contracts and sites to which they are restricted."""
        row = await reads.get_member(actor, member_id)
        return tagged(row, row.version)

    @post()
    async def invite(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        data: JSONBody[NewMember],
    ) -> Response[MemberState]:
        """Invite somebody. The link to send is at `/members/{id}/invitation`."""
        party_id = data.party_id or actor.party_id
        return member_state(await service.invite_member(session, actor, party_id, data))

    @get("/{member_id:uuid}/invitation")
    async def invitation(self, actor: NamedDependency[Actor], member_id: FromPath[UUID]) -> InvitationOut:
        """The one-time link, while the person has not joined."""
        found = await reads.invitations_of(actor, [await reads.get_member(actor, member_id)])
        if not found or not found[0].link:
            raise NotFound
        return InvitationOut(get_settings().base_url + found[0].link, found[0].expires_at)

    @post("/{member_id:uuid}/invitation", status_code=HTTP_200_OK)
    async def resend(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        member_id: FromPath[UUID],
    ) -> Response[MemberState]:
        """A new link; the old one ends."""
        return member_state(await service.resend_invitation(session, actor, member_id))

    @patch("/{member_id:uuid}")
    async def change(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        member_id: FromPath[UUID],
        data: JSONBody[ChangeMember],
    ) -> Response[MemberState]:
        """Change the role, or restrict to contracts and sites. Counts from the person's next step on."""
        member = await service.get_member(session, actor, member_id)
        if data.role is not None:
            role = service.ChangeRole(role=data.role)
            member = await service.change_role(session, actor, member_id, expected, role)
            expected = member.version
        if data.restriction is not None:
            member = await service.restrict_member(session, actor, member_id, expected, data.restriction)
        return member_state(member)

    @delete("/{member_id:uuid}")
    async def remove(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        member_id: FromPath[UUID],
    ) -> None:
        """Remove a person: signed out at once, their keys end. The last administrator stays."""
        await service.remove_member(session, actor, member_id, expected)


ROUTES: list[Any] = [PartyController, SiteController, MemberController]
