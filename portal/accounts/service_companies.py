"""Tenants, companies and places: who takes part, where goods go and on which days somebody is there."""

import logging
from typing import Any
from uuid import UUID

import asyncpg
from pydantic import BaseModel, Field
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts import rules
from portal.accounts.events import PartyCreated
from portal.accounts.model import ChatDetail, Party, Site
from portal.accounts.service import get_company, lock_names
from portal.accounts.service_calendars import get_site, publish_calendar, tell_site
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import check_time_zone
from portal.core.db import asyncpg_dsn, unit_of_work
from portal.core.errors import Conflict, Forbidden, NotFound, Reading
from portal.core.i18n import N_, Language
from portal.core.ids import uuid7
from portal.core.inputs import Input
from portal.core.journal import Subject, emit, record
from portal.core.versions import check_version

logger = logging.getLogger(__name__)


class TenantExists(Conflict):
    code = "tenant-exists"
    text = N_("A workspace with the code “{taken}” exists already.")


class CreateTenant(Input):
    """A factory gets its workspace."""

    code: str
    name: str
    country: str = ""
    time_zone: str = "UTC"
    currency: str = Field("USD", pattern="^[A-Z]{3}$")
    language: Language = Language.EN
    chat_detail: ChatDetail | None = Field(None, description="None: by where the factory is")


class CreateParty(Input):
    """A customer, a supplier, or both."""

    code: str = Field(examples=["AURORA"])
    name: str = Field(examples=["Aurora Drives GmbH"])
    country: str = Field("", max_length=80, examples=["Germany"])
    is_customer: bool = Field(default=False, examples=[True])
    is_supplier: bool = False


class EditParty(Input):
    """What is left out stays."""

    name: str | None = None
    country: str | None = Field(None, max_length=80)
    is_customer: bool | None = None
    is_supplier: bool | None = None


class CreateSite(Input):
    """A plant, warehouse or dock of one company."""

    code: str = Field(examples=["WUXI-3"])
    name: str = Field(examples=["Wuxi plant, gate 3"])
    country: str = Field("", max_length=80)
    address: str = Field("", max_length=300)
    time_zone: str = Field(examples=["Asia/Shanghai"])
    weekdays: list[int] = Field(default=[0, 1, 2, 3, 4])  # Monday is 0


class EditSite(Input):
    """What is left out stays."""

    name: str | None = None
    country: str | None = Field(None, max_length=80)
    address: str | None = Field(None, max_length=300)
    time_zone: str | None = None
    weekdays: list[int] | None = None


# --- tenants ----------------------------------------------------------------------------------------------------------


async def create_tenant(owner_url: str, data: CreateTenant) -> Actor:
    """A new workspace with the factory's company; only the database's owner may. Returns the factory's system actor."""
    tenant_id, party_id = uuid7(), uuid7()
    check_time_zone(data.time_zone)
    code, name = rules.checked_code(data.code), rules.checked_name(data.name, 200)
    detail = data.chat_detail or rules.chat_detail(data.time_zone, data.country)
    connection = await asyncpg.connect(asyncpg_dsn(owner_url))
    try:
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock(hashtextextended('tenant', 0))")
            if await connection.fetchval("select true from tenant where code = $1", code):
                raise TenantExists(field="code", taken=code)
            await connection.execute(
                "insert into tenant (tenant_id, id, code, name, factory_party_id, time_zone, currency, language,"
                " chat_detail) values ($1, $1, $2, $3, $4, $5, $6, $7, $8)",
                *(tenant_id, code, name, party_id, data.time_zone, data.currency, data.language, detail),
            )
            await connection.execute(
                "insert into party (tenant_id, id, party_id, code, name, country, is_factory, is_customer, is_supplier,"
                " version) values ($1, $2, $2, $3, $4, $5, true, false, false, 1)",
                *(tenant_id, party_id, code, name, data.country.strip()),
            )
    finally:
        await connection.close()
    actor = Actor.system(tenant_id, party_id)
    async with unit_of_work(actor) as session:
        record(session, actor, Subject("tenant", tenant_id, party_id), "created")
    return actor


async def find_tenant(owner_url: str, code: str) -> Actor | None:
    """The system actor of the workspace with this code."""
    connection = await asyncpg.connect(asyncpg_dsn(owner_url))
    try:
        row = await connection.fetchrow("select tenant_id, factory_party_id from tenant where code = $1", code)
    finally:
        await connection.close()
    return Actor.system(row["tenant_id"], row["factory_party_id"]) if row else None


# --- companies --------------------------------------------------------------------------------------------------------


def _require_master_data(actor: Actor) -> None:
    """Master data concern every contract, so a member who sees some contracts only cannot change them."""
    actor.require(Permission.MANAGE_MASTER_DATA)
    if actor.contract_ids is not None:
        raise Forbidden(permission=Permission.MANAGE_MASTER_DATA)


async def create_party(session: AsyncSession, actor: Actor, data: CreateParty) -> Party:
    """A new partner of the factory. Its code is unique in the tenant, which only the factory ever notices."""
    _require_master_data(actor)
    reading = Reading()
    with reading.part():
        code = rules.checked_code(data.code)
    with reading.part():
        name = rules.checked_name(data.name, 200)
    with reading.part():
        rules.check_trade(False, data.is_customer, data.is_supplier)
    reading.done()
    await lock_names(session, "party", actor.tenant_id)
    query = select(Party).where(Party.tenant_id == actor.tenant_id, Party.code == code)
    if (await session.exec(query)).first() is not None:
        raise rules.CodeTaken(field="code", taken=code)
    party_id = uuid7()
    trade = {"is_customer": data.is_customer, "is_supplier": data.is_supplier}
    party = Party(
        tenant_id=actor.tenant_id, id=party_id, party_id=party_id, code=code, name=name, country=data.country, **trade
    )
    session.add(party)
    await session.flush()
    record(session, actor, Subject("party", party.id, party.id), "created", **trade)
    emit(session, actor, party.id, PartyCreated(party_id=party.id))
    return party


async def edit_party(session: AsyncSession, actor: Actor, party_id: UUID, version: int, data: EditParty) -> Party:
    """Name, country and trade of a company. Contracts keep the name they were agreed under."""
    _require_master_data(actor)
    query = select(Party).where(Party.tenant_id == actor.tenant_id, Party.id == party_id)
    party = (await session.exec(query.with_for_update())).one_or_none()
    if party is None:
        raise NotFound
    check_version(version, party.version)
    changed = _changes(party, data)
    if "name" in changed:
        changed["name"] = rules.checked_name(changed["name"], 200)
    if party.is_factory:
        changed.pop("is_customer", None)
        changed.pop("is_supplier", None)
    for name, value in changed.items():
        setattr(party, name, value)
    rules.check_trade(party.is_factory, party.is_customer, party.is_supplier)
    if changed:
        party.version += 1
        record(session, actor, Subject("party", party.id, party.id, party.version), "edited", fields=sorted(changed))
    return party


def _changes(row: Party | Site, data: BaseModel) -> dict[str, Any]:
    """The fields that were sent and differ."""
    sent = data.model_dump(exclude_none=True)
    return {name: value for name, value in sent.items() if getattr(row, name) != value}


# --- places -----------------------------------------------------------------------------------------------------------


async def create_site(session: AsyncSession, actor: Actor, party_id: UUID, data: CreateSite) -> Site:
    """A new site of a company. Its code is unique in the company."""
    _require_master_data(actor)
    await get_company(session, actor, party_id)
    reading = Reading()
    with reading.part():
        code = rules.checked_code(data.code)
    with reading.part():
        name = rules.checked_name(data.name, 200)
    with reading.part():
        check_time_zone(data.time_zone)
    with reading.part():
        weekdays = rules.checked_weekdays(data.weekdays)
    reading.done()
    await lock_names(session, "site", actor.tenant_id, party_id)
    query = select(Site).where(Site.tenant_id == actor.tenant_id, Site.party_id == party_id, Site.code == code)
    if (await session.exec(query)).first() is not None:
        raise rules.CodeTaken(field="code", taken=code)
    rest = data.model_dump(include={"country", "address", "time_zone"})
    site = Site(tenant_id=actor.tenant_id, party_id=party_id, code=code, name=name, weekdays=weekdays, **rest)
    session.add(site)
    await publish_calendar(session, site)
    tell_site(session, actor, site, "created")
    return site


async def edit_site(session: AsyncSession, actor: Actor, site_id: UUID, version: int, data: EditSite) -> Site:
    """Name, address, zone and working weekdays. Lines that were generated keep their dates."""
    _require_master_data(actor)
    site = await get_site(session, actor, site_id, lock=True)
    check_version(version, site.version)
    changed, reading = _changes(site, data), Reading()
    if "name" in changed:
        with reading.part():
            changed["name"] = rules.checked_name(changed["name"], 200)
    if "time_zone" in changed:
        with reading.part():
            check_time_zone(changed["time_zone"])
    if "weekdays" in changed:
        with reading.part():
            changed["weekdays"] = rules.checked_weekdays(changed["weekdays"])
    reading.done()
    for name, value in changed.items():
        setattr(site, name, value)
    if changed:
        site.version += 1
        await publish_calendar(session, site)
        tell_site(session, actor, site, "edited", fields=sorted(changed))
    return site
