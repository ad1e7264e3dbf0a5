"""Terms of trade, value and files of a contract, as its page shows them."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.approvals.model import CaseStatus
from portal.approvals.service import latest_case
from portal.contracts.model import Contract, ContractFile, ContractLine
from portal.contracts.rules_rates import NoRate, convert
from portal.contracts.service import Prices
from portal.contracts.service_rates import agreed_value, list_rates, own_currency
from portal.core import clock, i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.i18n import _
from portal.core.quantities import show_money


async def value_facts(
    session: AsyncSession, actor: Actor, contract: Contract, lines: Sequence[ContractLine], prices: Prices
) -> list[tuple[str, str]]:
    """What the targets are worth, in the contract's currency and, for the factory, in its own by a dated rate."""
    if not actor.may(Permission.SEE_PRICES):
        return []
    today = local_today(clock.now(), contract.time_zone)
    value = agreed_value(lines, prices, today)
    if value is None:
        return []
    words = show_money(value, contract.currency)
    if actor.is_factory and (own := await own_currency(session, actor)) != contract.currency:
        try:
            found = convert(value, contract.currency, own, today, await list_rates(session, actor))
            if found.rate_day is not None:
                day = i18n.day(found.rate_day, year=True)
                words += " · " + _("{amount} at the rate of {day}").format(
                    amount=show_money(found.amount, own), day=day
                )
        except NoRate:
            words += " · " + _("no rate to {currency} yet").format(currency=own)
    return [(_("Value of the targets"), words)]


def file_row(file: ContractFile, actor: Actor) -> tuple[UUID, str, str, bool]:
    """(id, name, size and who added it when, whether it is the factory's own)."""
    size = _("{n} KB").format(n=i18n.number(max(1, file.size // 1024)))
    said = " · ".join(filter(None, (size, file.added_by, i18n.moment(file.added_at, actor.time_zone))))
    return file.id, file.name, said, file.internal


async def review(session: AsyncSession, actor: Actor, contract: Contract) -> tuple[str, str, str] | None:
    """(sentence, tone, address) while the factory's own rules hold a step of this contract back; for nobody else."""
    case = await latest_case(session, actor, contract.id)
    if case is None or not actor.is_factory or case.subject_version != contract.version:
        return None
    address = f"/approvals/{case.id}"
    if case.status is CaseStatus.WAITING:
        return _("A step of this contract waits for an approval. The partner is not told before."), "", address
    if case.status is CaseStatus.REFUSED:
        return (
            _("The last step of this contract was refused inside the company. The partner was not told."),
            "bad",
            address,
        )
    return None
