"""How long the answer to an Idempotency-Key is known."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from portal.core import db, idempotency
from portal.core.actor import Actor
from portal.core.roles import plain_dsn
from portal.core.settings import Settings
from tests.factories import Tenant, make_tenant

MONTH = timedelta(days=30)


async def answered(actor: Actor, key: str) -> dict[str, Any] | None:
    """The headers with which a request is answered that was done before; None where it is done now."""
    claim = idempotency.Claim(key, "0" * 64, 201, {"ETag": '"1"'}, "{}")
    try:
        async with db.unit_of_work(actor) as session:
            await claim.take(session, actor)
            await claim.store(session, actor)
    except idempotency.Replay as known:
        return known.headers
    return None


async def make_older(database: Settings, actor: Actor, key: str, age: timedelta) -> None:
    """Only the owner can: no role of the application writes when a key came."""
    owner = await asyncpg.connect(plain_dsn(str(database.database_url)))
    try:
        changed = await owner.execute(
            "update idempotency set created_at = now() - $1::interval where party_id = $2 and key like '%' || $3",
            *(age, actor.party_id, key),
        )
    finally:
        await owner.close()
    assert changed == "UPDATE 1"


async def test_answers_of_all_companies_are_forgotten_after_a_month(tenant: Tenant, database: Settings) -> None:
    companies = (tenant.factory, tenant.customer, tenant.supplier)
    for actor in companies:
        for key, age in (("old", MONTH + timedelta(minutes=1)), ("young", MONTH - timedelta(minutes=1))):
            assert await answered(actor, key) is None
            await make_older(database, actor, key, age)
    assert await idempotency.forget(tenant.factory) == len(companies)
    assert await idempotency.forget(tenant.factory) == 0
    for actor in companies:
        assert await answered(actor, "young") == {"ETag": '"1"'}
        assert await answered(actor, "old") is None


async def test_another_workspace_keeps_what_it_was_answered(tenant: Tenant, database: Settings) -> None:
    other = await make_tenant(str(database.database_url))
    await answered(other.supplier, "old")
    await make_older(database, other.supplier, "old", MONTH + timedelta(minutes=1))
    assert await idempotency.forget(tenant.factory) == 0
    assert await answered(other.supplier, "old") == {"ETag": '"1"'}


async def test_no_company_forgets_for_another(tenant: Tenant) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await idempotency.forget(tenant.customer)
