"""Keys: made once, closed at rest, kept for ever; or the operator's own. Times by an authority, where one is named."""

import asyncio
from pathlib import Path

import cryptography.x509 as certificates
import pytest
from asyncpg import InsufficientPrivilegeError
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    load_der_private_key,
    pkcs12,
)

from portal.core import clock
from portal.core.db import unit_of_work
from portal.core.doctor import Level
from portal.core.settings import get_settings
from portal.paper.keys import Key, SuppliedKeyUnusable, current_key, made_key, supplied_key
from portal.paper.rules import is_valid
from portal.paper.sealing import StampFailed, sealed
from portal.paper.service_verify import certificates as trusted_by
from portal.paper.service_verify import seal_findings, stamp_roots
from tests.conftest import Choose
from tests.factories import Tenant, fetch
from tests.paper.authority import authority, authority_key, root_file
from tests.paper.makers import judged, own_key, plain_pdf, system

NAME = "Hengyuan"


async def key_now(tenant: Tenant) -> Key:
    async with unit_of_work(system(tenant)) as session:
        return await current_key(session, system(tenant), NAME)


async def test_two_jobs_at_a_first_use_make_one_key(tenant: Tenant) -> None:
    first, second = await asyncio.gather(key_now(tenant), key_now(tenant))
    assert first == second
    assert await key_now(tenant) == first
    assert len(await fetch(tenant.factory, "select id from seal_key")) == 1


async def test_the_private_half_is_closed_at_rest(tenant: Tenant) -> None:
    key = await key_now(tenant)
    ((stored,),) = await fetch(tenant.factory, "select private_key from seal_key")
    assert key.private_key not in stored
    assert key.private_key[-40:] not in stored


async def test_partners_read_certificates_and_never_private_halves(tenant: Tenant) -> None:
    key = await key_now(tenant)
    assert [tuple(row) for row in await fetch(tenant.customer, "select certificate from seal_key")] == [
        (key.certificate,)
    ]
    with pytest.raises(InsufficientPrivilegeError):
        await fetch(tenant.customer, "select private_key from seal_key")


async def test_after_another_secret_key_a_new_key_seals_and_the_old_one_stays_trusted(
    tenant: Tenant, choose: Choose
) -> None:
    old = await key_now(tenant)
    choose(secret_key="another secret key of more than 32 characters")
    new = await key_now(tenant)
    async with unit_of_work(tenant.customer) as session:
        trusted = await trusted_by(session, tenant.customer)
    assert new.fingerprint != old.fingerprint
    assert trusted == [new.certificate, old.certificate]


async def test_a_key_that_ends_within_a_year_is_followed_by_another(tenant: Tenant) -> None:
    old = await key_now(tenant)
    await age(tenant)
    assert (await key_now(tenant)).fingerprint != old.fingerprint


async def age(tenant: Tenant) -> None:
    """Write a key anew as one that ends soon; only the owner may."""
    import asyncpg

    from portal.core.db import asyncpg_dsn

    connection = await asyncpg.connect(asyncpg_dsn(str(get_settings().database_url)))
    await connection.execute("set app.tenant_id = '" + str(tenant.id) + "'")
    await connection.execute(
        "update seal_key set not_after = now() + interval '360 days' where tenant_id = $1", tenant.id
    )
    await connection.close()


def test_a_made_certificate_says_what_it_is_for() -> None:
    certificate = certificates.load_der_x509_certificate(made_key("恒源" * 60, clock.now()).certificate)
    usage = certificate.extensions.get_extension_for_class(certificates.KeyUsage).value
    assert usage.digital_signature
    assert usage.content_commitment
    assert not usage.key_cert_sign
    assert not certificate.extensions.get_extension_for_class(certificates.BasicConstraints).value.ca


# --- supplied ---------------------------------------------------------------------------------------------------------


def p12(folder: Path, key: Key, password: str = "open sesame") -> Path:
    private = load_der_private_key(key.private_key, None)
    certificate = certificates.load_der_x509_certificate(key.certificate)
    path = folder / "seal.p12"
    closed = BestAvailableEncryption(password.encode())
    path.write_bytes(pkcs12.serialize_key_and_certificates(b"seal", private, certificate, None, closed))  # type: ignore[arg-type]
    return path


async def test_a_supplied_key_seals_and_is_trusted(tenant: Tenant, choose: Choose, tmp_path: Path) -> None:
    mine = made_key("Operator", clock.now())
    choose(seal_p12=p12(tmp_path, mine), seal_p12_password="open sesame")
    assert await key_now(tenant) == mine
    assert await key_now(tenant) == mine
    rows = await fetch(tenant.factory, "select fingerprint, private_key from seal_key")
    assert [tuple(row) for row in rows] == [(mine.fingerprint, None)]


@pytest.mark.parametrize("fault", ["absent", "password", "nonsense", "ended"])
def test_a_supplied_key_that_cannot_be_used_says_why(fault: str, database: object, tmp_path: Path) -> None:
    from datetime import timedelta

    start = clock.now() - timedelta(days=11 * 365 if fault == "ended" else 0)
    path = p12(tmp_path, made_key("Operator", start))
    if fault == "nonsense":
        path.write_bytes(b"no key at all")
    told = {"seal_p12": str(path) + ("x" if fault == "absent" else ""), "seal_p12_password": "open sesame"}
    if fault == "password":
        told["seal_p12_password"] = "wrong"
    with pytest.raises(SuppliedKeyUnusable) as refused:
        supplied_key(get_settings().model_copy(update=told))
    assert str(refused.value).startswith("PORTAL_SEAL_P12 cannot be used: ")
    doctor = list(seal_findings(get_settings().model_copy(update=told | {"tsa_ca": __file__})))
    assert [found.level for found in doctor] == [Level.WRONG, Level.WRONG]
    assert [found.text.split()[0] for found in doctor] == ["PORTAL_SEAL_P12", "PORTAL_TSA_CA"]


# --- times ------------------------------------------------------------------------------------------------------------


def test_a_timestamp_is_attested_where_its_authority_is_trusted(database: object, tmp_path: Path) -> None:
    key = authority_key()
    with authority(key) as address:
        file = sealed(plain_pdf(), own_key(), "FC-2026-014 v1", address)
    roots = stamp_roots(get_settings().model_copy(update={"tsa_ca": str(root_file(tmp_path, key))}))
    trusted, unknown = judged(file, roots), judged(file)
    assert is_valid(trusted)
    assert is_valid(unknown)
    assert trusted[3].sentence.endswith("attested by a timestamp authority.")
    assert unknown[3].sentence.endswith("its timestamp authority is not trusted here.")


def test_without_its_authority_nothing_is_sealed(database: object) -> None:
    with authority(authority_key()) as address:
        pass
    with pytest.raises(StampFailed):
        sealed(plain_pdf(), own_key(), "FC-2026-014 v1", address)


def test_a_seal_without_authority_says_whose_clock_it_was() -> None:
    assert judged(sealed(plain_pdf(), own_key(), "x"))[3].sentence.endswith("no timestamp authority attests it.")
