"""From what a caller says about lines to rows: the item as agreed, the place, the prices. Set-based: two queries for
all lines of a contract, however many."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts.model import Site
from portal.catalog.model import Item
from portal.catalog.service import items_by_code, part_numbers_of
from portal.contracts.inputs import LineTerms, NewLine, NewPrice
from portal.contracts.model import Contract
from portal.contracts.rules import LineTerms as Terms
from portal.contracts.rules import check_line
from portal.contracts.rules_prices import check_prices
from portal.core.actor import Actor
from portal.core.db import driver, to_json
from portal.core.errors import Invalid, PortalError
from portal.core.i18n import N_
from portal.core.ids import uuid7

Values = dict[str, Any]  # column -> value
FROM_ITEM = {"description", "revision", "partner_part_no", "unit"}


class UnknownItem(Invalid):
    code = "unknown-item"
    text = N_("There is no item with the code “{item_code}”. Add the item first, or correct the code.")


async def build_lines(
    session: AsyncSession,
    actor: Actor,
    contract: Contract,
    data: Sequence[NewLine],
    *,
    first_no: int,
    nested: bool = True,
) -> tuple[list[Values], list[Values]]:
    """The columns of new lines and of their prices, checked but not yet written.

    nested: the lines are part of a larger input, so a refusal names its field as `lines.<n>.<field>`, n from 0.
    """
    items = await items_by_code(session, actor, (line.item_code for line in data))
    numbers = await part_numbers_of(session, actor, contract.party_id, (item.id for item in items.values()))
    sites = await _sites(session, actor, contract, {line.ship_to_code for line in data})
    lines: list[Values] = []
    prices: list[Values] = []
    for n, said in enumerate(data):
        try:
            item = items.get(said.item_code)
            if item is None:
                raise UnknownItem(field="item_code", item_code=said.item_code)
            line = _new_line(contract, item, said, numbers.get(item.id, ""), first_no + n) | _copied(sites, said)
            check_line(cast(Terms, SimpleNamespace(**line)))
            check_prices(said.prices)
        except PortalError as error:
            if nested:
                error.rename(f"lines.{n}.".__add__)
            raise
        lines.append(line)
        prices += [new_price(contract, line["id"], price) for price in said.prices]
    return lines, prices


def _new_line(contract: Contract, item: Item, said: NewLine, part_no: str, line_no: int) -> Values:
    """The item as agreed: what the caller said, else what the catalogue says today."""
    own = said.model_dump(include=FROM_ITEM, exclude_none=True)
    return {
        **said.model_dump(exclude={"prices", *FROM_ITEM}),
        "description": item.description,
        "revision": item.revision,
        "partner_part_no": part_no,
        "unit": item.unit,
        **own,
        "tenant_id": contract.tenant_id,
        "id": uuid7(),
        "party_id": contract.party_id,
        "contract_id": contract.id,
        "line_no": line_no,
        "item_id": item.id,
        "carried_remainder": 0,
        "version": 1,
    }


async def write_lines(session: AsyncSession, lines: Sequence[Values], prices: Sequence[Values]) -> None:
    """Write lines and prices with one statement a table, however many: entities would cost ten times as much."""
    await session.flush()
    connection = await driver(session)
    for table, rows in (("contract_line", lines), ("contract_price", prices)):
        if rows:
            # Values travel as one JSON text; numbers as strings, so that no digit is lost.
            query = f"insert into {table} select * from json_populate_recordset(null::{table}, $1)"  # noqa: S608
            await connection.execute(query, to_json(rows))


def new_price(contract: Contract, line_id: UUID, said: NewPrice) -> Values:
    """The columns of one price."""
    return {
        **said.model_dump(),
        "tenant_id": contract.tenant_id,
        "id": uuid7(),
        "party_id": contract.party_id,
        "contract_line_id": line_id,
    }


Sites = dict[str, Site]


async def _sites(session: AsyncSession, actor: Actor, contract: Contract, codes: set[str]) -> Sites:
    """The partner's and the factory's own sites with these codes; the partner's wins."""
    wanted = codes - {""}
    if not wanted:
        return {}
    query = select(Site).where(
        Site.tenant_id == actor.tenant_id,
        col(Site.party_id).in_((actor.party_id, contract.party_id)),
        col(Site.code).in_(wanted),
    )
    sites = (await session.exec(query)).all()
    return {site.code: site for site in sorted(sites, key=lambda site: site.party_id == contract.party_id)}


def _copied(sites: Sites, said: LineTerms) -> dict[str, Any]:
    """Country and address of a known site where the caller left them out; never a site's name."""
    site = sites.get(said.ship_to_code)
    if site is None:
        return {}
    return {
        "ship_to_country": said.ship_to_country or site.country,
        "ship_to_address": said.ship_to_address or site.address,
    }


async def place(session: AsyncSession, actor: Actor, contract: Contract, said: LineTerms) -> dict[str, Any]:
    """The ship-to of one line as it is to be written."""
    return _copied(await _sites(session, actor, contract, {said.ship_to_code}), said)
