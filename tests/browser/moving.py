"""Contracts between two versions: one countered, one amended twice, with what hangs on them."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from portal.changes.inputs import NewChange, NewPart
from portal.changes.model import ChangeReason
from portal.changes.service_asking import ask_change
from portal.contracts import service_amendments, service_files, service_life, service_rates, service_templates
from portal.contracts.inputs import Amendment, HeadOffer, LineOffer, NewContract, NewPrice, Offer, SaveTemplate, SetRate
from portal.contracts.inputs_invoices import ReportInvoice
from portal.contracts.model import Cadence
from portal.contracts.model_opening import OpeningBalance
from portal.contracts.service import get_contract, get_lines
from portal.contracts.service_drafts import create_contract
from portal.contracts.service_invoices import report_invoice
from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from tests.factories import today


async def amended(factory: Actor, customer: Actor, contract_id: UUID, words: str) -> dict[str, str]:
    """A version that follows in 40 days, and an amendment that waits for the customer."""
    more = LineOffer(line_no=1, foq=Decimal(720), cadence=Cadence.WEEK)
    later = Amendment(effective_from=today() + timedelta(days=40), lines=[more])
    day = today() + timedelta(days=60)
    prices = [NewPrice(valid_from=day, price=Decimal("12.10"))]
    cheaper = Amendment(
        effective_from=day,
        note=words,
        terms=HeadOffer(payment_terms="30 d", incoterm="DAP"),
        lines=[LineOffer(line_no=2, target_quantity=Decimal(9_000), prices=prices)],
    )
    async with unit_of_work(customer) as session:
        await service_amendments.amend(session, customer, contract_id, later)
    rate = SetRate(base="EUR", quote="CNY", day=today(), rate=Decimal("7.83"))
    async with unit_of_work(factory) as session:
        await service_amendments.accept_amendment(session, factory, contract_id)
        await service_amendments.amend(session, factory, contract_id, cheaper)
        template = await service_templates.save_template(session, factory, contract_id, SaveTemplate(name="FC 600"))
        await service_rates.set_rate(session, factory, rate)
        await service_files.add_file(session, factory, contract_id, "A100.TXT", b"drawing of A100")
    await opening(factory, contract_id)
    invoice = ReportInvoice(
        number="INV-0412", invoiced_on=today(), line_no=1, quantity=Decimal(240), amount=Decimal(3000)
    )
    async with unit_of_work(factory) as session:
        await report_invoice(session, factory, contract_id, invoice)
    return {"amended_id": str(contract_id), "opened_id": str(contract_id), "template_id": str(template.id)}


async def opening(factory: Actor, contract_id: UUID) -> None:
    """Opening balances that wait for the customer."""
    async with unit_of_work(factory) as session:
        contract = await get_contract(session, factory, contract_id)
        line = (await get_lines(session, factory, contract_id))[0]
        numbers = {"called": "4800", "shipped": "4000", "received": "3600"}
        waiting = OpeningBalance(
            tenant_id=contract.tenant_id,
            party_id=contract.party_id,
            contract_id=contract_id,
            number=1,
            cut_over=today() - timedelta(days=30),
            figures={"lines": [{"line_id": str(line.id), "bucket_id": "", **numbers}]},
            offered_name=factory.name,
            offered_at=clock.now(),
        )
        session.add(waiting)


async def countered(factory: Actor, customer: Actor, data: NewContract) -> dict[str, str]:
    """A proposal that the customer sent back."""
    async with unit_of_work(factory) as session:
        made = await create_contract(session, factory, data)
        await service_life.propose(session, factory, made.id)
    async with unit_of_work(customer) as session:
        less = Offer(lines=[LineOffer(line_no=1, foq=Decimal(480), cadence=Cadence.WEEK)])
        await service_life.counter(session, customer, made.id, less)
    return {"countered_id": str(made.id)}


async def asked(customer: Actor, ids: dict[str, str]) -> dict[str, str]:
    """A change of a delivery in the firm zone, which waits for the factory."""
    part = NewPart(line_id=UUID(ids["line_id"]), quantity=Decimal(900))
    data = NewChange(contract_id=UUID(ids["contract_id"]), reason=ChangeReason.DEMAND, parts=[part])
    async with unit_of_work(customer) as session:
        change = await ask_change(session, customer, data)
    return {"change_id": str(change.id)}
