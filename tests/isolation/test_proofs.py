"""What the database itself refuses to the application's roles, tried and not only read from a catalogue."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from uuid import UUID

import asyncpg
import pytest

from portal.core.actor import Actor
from portal.core.db import Driver, asyncpg_dsn, scope_sql
from portal.core.ids import uuid7
from portal.core.roles import FACTORY, PARTNER
from tests.isolation.fingerprint import changed, fingerprint
from tests.isolation.things import receipt
from tests.isolation.world import Place, World

PROOFS = (
    "audit",
    "timeline",
    "release",
    "release_line",
    "receipt",
    "receipt_line",
    "shipment_line",
    "photo",
    "sealed_document",
)
COLUMNS = {"audit": "action", "timeline": "verb", "release": "note", "release_line": "quantity", "photo": "digest"}
DENIED = asyncpg.InsufficientPrivilegeError


@asynccontextmanager
async def as_role(world: World, actor: Actor, *, scoped: bool = True) -> AsyncIterator[Driver]:
    """The bare database as an attacker inside the application would have it: its role, the company's scope."""
    urls = (world.settings.database_factory_url, world.settings.database_partner_url)
    connection = await asyncpg.connect(asyncpg_dsn(str(urls[0] if actor.is_factory else urls[1])))
    try:
        await connection.execute("begin;" + (scope_sql(actor) if scoped else ""))
        yield connection
    finally:
        await connection.close()


def both(world: World) -> tuple[Actor, Actor]:
    return world.companies[Place.A].factory, world.company(Place.A)


async def test_the_application_is_neither_owner_nor_superuser(world: World) -> None:
    for actor, role in zip(both(world), (FACTORY, PARTNER), strict=True):
        async with as_role(world, actor) as connection:
            row = await connection.fetchrow(
                "select current_user::text, rolsuper, rolbypassrls from pg_roles where rolname = current_user"
            )
            assert row is not None
            assert tuple(row) == (role, False, False)


@pytest.mark.parametrize("table", PROOFS)
async def test_what_proves_something_is_neither_changed_nor_removed(world: World, table: str) -> None:
    await receipt(world, Place.A)
    column = COLUMNS.get(table, "note" if table == "receipt" else "unit" if table.endswith("line") else "tenant_id")
    before = await fingerprint(world.owner)
    for actor in both(world):
        for statement in (
            f"update {table} set {column} = {column}",
            f"update {table} set tenant_id = tenant_id",
            f"delete from {table}",
            f"truncate {table} cascade",
        ):
            async with as_role(world, actor) as connection:
                with pytest.raises(DENIED):
                    await connection.execute(statement)
    assert changed(before, await fingerprint(world.owner)) == {}


async def test_no_role_of_the_application_empties_any_table(world: World) -> None:
    """TRUNCATE knows no rows, so policies do not stop it; only the missing right does."""
    tables = await world.owner.fetch(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
    )
    for actor in both(world):
        for (table,) in tables:
            async with as_role(world, actor) as connection:
                with pytest.raises(DENIED):
                    await connection.execute(f"truncate {table} cascade")


async def test_a_promise_once_given_keeps_its_quantity_and_day(world: World) -> None:
    for actor in both(world):
        for column in ("quantity", "delivery_date", "member_id", "line_id"):
            async with as_role(world, actor) as connection:
                with pytest.raises(DENIED):
                    await connection.execute(f"update confirmation set {column} = {column}")


async def test_the_seal_of_the_audit_is_nobodys_to_write(world: World) -> None:
    for actor in both(world):
        async with as_role(world, actor) as connection:
            with pytest.raises(DENIED):
                await connection.execute(
                    "insert into audit (tenant_id, id, party_id, action, subject_id, data, seal_no, seal)"
                    " values ($1, $2, $3, 'forged', $2, '{}', 1, 'x')",
                    *(actor.tenant_id, uuid7(), actor.party_id),
                )


async def test_the_portals_own_sessions_are_out_of_reach_of_the_other_roles(world: World) -> None:
    for actor in both(world):
        for table in ("user_account", "user_session", "membership", "invitation_token", "api_key_token"):
            async with as_role(world, actor) as connection:
                with pytest.raises(DENIED):
                    await connection.fetch(f"select * from {table}")


async def test_a_connection_out_of_scope_sees_nothing_and_says_nothing(world: World) -> None:
    """After a transaction the settings are empty texts, not absent; both must mean nobody."""
    for actor in both(world):
        async with as_role(world, actor) as connection:
            assert await connection.fetchval("select count(*) from contract") > 0
            await connection.execute("commit")
            assert await connection.fetchval("select current_setting('app.party_id', true)") == ""
            for table in ("contract", "schedule_line", "party", "timeline", "tenant"):
                assert await connection.fetchval(f"select count(*) from {table}") == 0, table
        async with as_role(world, actor, scoped=False) as connection:
            assert await connection.fetchval("select count(*) from contract") == 0


async def test_a_forged_scope_is_one_company_and_never_two(world: World) -> None:
    """Whatever text a setting holds, it is compared as one id: no list, no pattern, no escape."""
    a = world.company(Place.A)
    for text in (f"{a.party_id}' or true --", "%", "*", f"{a.party_id},{world.company(Place.B).party_id}"):
        async with as_role(world, a) as connection:
            await connection.execute("select set_config('app.party_id', $1, true)", text)
            with pytest.raises(asyncpg.DataError):
                await connection.fetch("select * from contract")


_HANG_ON = """
insert into shipment_line (tenant_id, id, party_id, shipment_id, schedule_line_id, contract_id, line_no, quantity, unit,
    lot) values ($1, $2, $3, $4, $5, $6, 9, $7, 'H87', '')"""


async def test_a_foreign_key_does_not_tell_whether_anothers_row_exists(world: World) -> None:
    """Hanging a row on B's shipment fails as hanging it on nobody's does: by the same rule, in the same words."""
    mine, theirs = await receipt(world, Place.A), await receipt(world, Place.B)
    a = world.company(Place.A)

    async def refusal(shipment_id: UUID, line_id: UUID) -> tuple[str, str]:
        async with as_role(world, a) as connection:
            with pytest.raises(asyncpg.ForeignKeyViolationError) as caught:
                await connection.execute(
                    _HANG_ON, *(a.tenant_id, uuid7(), a.party_id, shipment_id, line_id, mine["contract_id"], Decimal(1))
                )
            return str(caught.value), str(caught.value.constraint_name)

    assert await refusal(theirs["shipment_id"], mine["line_id"]) == await refusal(uuid7(), mine["line_id"])
    assert await refusal(mine["shipment_id"], theirs["line_id"]) == await refusal(mine["shipment_id"], uuid7())


async def test_a_row_of_another_company_cannot_be_written_at_all(world: World) -> None:
    """With B's party in the row the policy refuses, whether B's parents exist or not."""
    theirs, a = await receipt(world, Place.B), world.company(Place.A)
    b = world.company(Place.B)
    for shipment_id in (theirs["shipment_id"], uuid7()):
        async with as_role(world, a) as connection:
            with pytest.raises(DENIED, match="row-level security"):
                await connection.execute(
                    _HANG_ON,
                    *(a.tenant_id, uuid7(), b.party_id, shipment_id, theirs["line_id"], theirs["contract_id"]),
                    Decimal(1),
                )


async def test_a_unique_key_does_not_tell_which_numbers_others_use(world: World) -> None:
    """A delivery note may have the number of another company's, and ON CONFLICT finds nothing to meet."""
    theirs, a = await receipt(world, Place.B), world.company(Place.A)
    insert = """insert into shipment (tenant_id, id, party_id, direction, number, year, order_no, status, shipped_on,
        carrier, vehicle, ship_to_code, note, scan_token, version)
        values ($1, $2, $3, 'sale', $4, extract(year from now())::int, '', 'sent', current_date, '', '', '', '', $5, 1)
        on conflict do nothing returning id"""
    for number in (str(theirs["note"]), f"N-{uuid7()}"):
        async with as_role(world, a) as connection:
            new = (a.tenant_id, uuid7(), a.party_id, number, uuid7().hex)
            assert await connection.fetchval(insert, *new), "taken by B, and A cannot tell"


async def test_deletes_and_updates_of_others_rows_touch_nothing(world: World) -> None:
    a = world.company(Place.A)
    before = await fingerprint(world.owner)
    async with as_role(world, a) as connection:
        party = world.company(Place.B).party_id
        for statement in ("update contract set version = 99", "update schedule_line set version = 99"):
            assert await connection.execute(f"{statement} where party_id = $1", party) == "UPDATE 0"
        with pytest.raises(DENIED):
            await connection.execute("update contract set party_id = $1 where party_id <> $1", a.party_id)
    assert changed(before, await fingerprint(world.owner)) == {}
