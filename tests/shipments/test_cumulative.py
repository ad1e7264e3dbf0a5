"""Cumulative quantities of two companies: figures from documents, reports, and entries that both agree to."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from portal.app import create_app
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.db import driver, read, unit_of_work
from portal.core.errors import Forbidden, NotFound, PortalError
from portal.core.settings import Settings
from portal.core.states import WrongState
from portal.core.versions import Stale
from portal.shipments import reads_cumulative as reads
from portal.shipments import rules_cumulating as rules
from portal.shipments import service_cumulative as service
from portal.shipments.model import Problem
from portal.shipments.model_cumulative import CumulativeEntry, EntryKind, Figure
from portal.shipments.reads_cumulative import Comparison, Line
from portal.shipments.service import NewShipment, ShippedLine, lines_of, ship
from portal.shipments.service_cumulative import Correct, Report, ReportedDocument, Reset, SetPolicy
from portal.web.cumulative_views import documents
from tests.accounts.browser import browsing, text_of
from tests.accounts.makers import make_person
from tests.contracts.test_api import calling
from tests.factories import Made, Tenant, fetch, make_contract, make_deliveries, today
from tests.shipments.makers import counting, receive, sent

D = Decimal


async def delivered(tenant: Tenant, good: int = 760) -> tuple[Made, str]:
    """A supplier's contract with 800 asked for and sent, and so many counted. Returns the delivery note's number."""
    made = await make_contract(tenant, Direction.PURCHASE)
    (line,) = await make_deliveries(tenant, made, [800])
    shipment, lines = await sent(tenant, (line, 800))
    await receive(tenant.factory, shipment, counting(lines[0], good, Problem.NOT_ON_TRUCK if good < 800 else None))
    return made, shipment.number


async def line_of(actor: Actor, made: Made) -> tuple[Line, list[Comparison]]:
    async with read(actor) as connection:
        head = await reads.head(connection, actor, made.contract.id)
        line = await reads.line(connection, actor, head, made.line.id)
        return line, await reads.comparisons(connection, actor, head, line)


async def figures(actor: Actor, made: Made, days: int = 0) -> list[Decimal]:
    """Requested, shipped, received, in transit, open at the end of a day."""
    line, _compared = await line_of(actor, made)
    return list(line.on(today() + timedelta(days=days)))[:5]


async def proposed(actor: Actor, made: Made, data: Correct | Reset) -> CumulativeEntry:
    command: Any = service.reset if isinstance(data, Reset) else service.correct
    async with unit_of_work(actor) as session:
        entry: CumulativeEntry = await command(session, actor, made.contract.id, made.line.id, data)
        return entry


async def answered(actor: Actor, made: Made, entry: CumulativeEntry, action: str) -> None:
    async with unit_of_work(actor) as session:
        await service.answer(session, actor, made.contract.id, entry.id, action)


async def reported(actor: Actor, made: Made, **said: Any) -> None:
    async with unit_of_work(actor) as session:
        await service.report(session, actor, made.contract.id, made.line.id, Report(**said))


async def test_both_sides_read_the_same_figures_and_nothing_is_clipped(tenant: Tenant) -> None:
    made, _number = await delivered(tenant)
    ours, theirs = await figures(tenant.factory, made), await figures(tenant.supplier, made)
    assert ours == theirs == [800, 800, 760, 0, 40]


async def test_a_correction_counts_when_the_other_company_agrees(tenant: Tenant) -> None:
    made, _number = await delivered(tenant)
    entry = await proposed(tenant.supplier, made, Correct(figure=Figure.RECEIVED, quantity=D(40), note="found"))
    assert (await figures(tenant.factory, made))[2] == 760
    with pytest.raises(rules.OwnProposal):
        await answered(tenant.supplier, made, entry, "agree")
    with pytest.raises(rules.ForeignProposal):
        await answered(tenant.factory, made, entry, "withdraw")
    with pytest.raises(rules.ProposalWaits):
        await proposed(tenant.factory, made, Correct(figure=Figure.RECEIVED, quantity=D(1), note="again"))
    await answered(tenant.factory, made, entry, "agree")
    assert (await figures(tenant.supplier, made))[2:4] == [800, -40]  # what was recorded short is short no more
    with pytest.raises(WrongState):
        await answered(tenant.factory, made, entry, "decline")
    names = [row["name"] for row in await fetch(tenant.factory, "select name from outbox where name like 'Cumul%'")]
    assert names == ["CumulativeProposed", "CumulativeAnswered"]


async def test_a_reset_begins_anew_and_the_past_stays_readable(tenant: Tenant) -> None:
    made, _number = await delivered(tenant, good=800)
    data = Reset(start=D(55), sync_date=today(), execution_date=today() + timedelta(days=5), note="fiscal year")
    entry = await proposed(tenant.factory, made, data)
    await answered(tenant.supplier, made, entry, "agree")
    assert (await figures(tenant.supplier, made, 4))[:3] == [800, 800, 800]
    assert (await figures(tenant.supplier, made, 5))[:3] == [855, 855, 855]


async def test_an_opening_figure_is_added_to_all_lines(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    await make_deliveries(tenant, made, [20, 30])
    data = Reset(kind=EntryKind.OPENING, start=D(55), execution_date=today(), note="succeeds FC-1")
    entry = await proposed(tenant.factory, made, data)
    await answered(tenant.supplier, made, entry, "agree")
    assert [(await figures(tenant.factory, made, n))[0] for n in (0, 1)] == [75, 105]


async def test_two_lists_are_walked_to_the_first_document_that_disagrees(tenant: Tenant) -> None:
    made, number = await delivered(tenant)
    document = ReportedDocument(number=number.lower(), day=today(), quantity=D(700))
    await reported(tenant.factory, made, requested=D(800), received=D(700), last_document=number, documents=[document])
    for actor in (tenant.factory, tenant.supplier):
        _line, (compared,) = await line_of(actor, made)
        assert [compared.received_difference, compared.requested_difference, compared.net] == [-60, 0, 100]
        assert compared.finding is not None
        assert (compared.finding.number, compared.figure) == (number, Figure.RECEIVED)
        assert compared.finding.difference == -60
    await reported(tenant.supplier, made, received=D(760), last_document="ASN-nobody")
    _line, both = await line_of(tenant.factory, made)
    assert [(one.report.scope, one.last_known) for one in both] == [("factory", True), ("partner", False)]


async def test_deliveries_that_straddle_a_day_are_shown_before_a_reset(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    (line,) = await make_deliveries(tenant, made, [800])
    shipment, _lines = await sent(tenant, (line, 800))
    found, _compared = await line_of(tenant.supplier, made)
    assert [one.number for one in found.straddling(today() + timedelta(days=1))] == [shipment.number]
    assert found.straddling(today()) == []


async def test_the_list_of_delivery_notes_holds_what_the_figures_are_made_of(tenant: Tenant) -> None:
    """Sent before the count begins and received in it: by the day of receipt it counts, so it stands in the list."""
    made = await make_contract(tenant, Direction.PURCHASE)
    (line,) = await make_deliveries(tenant, made, [800])
    async with unit_of_work(tenant.factory) as session:
        begin = "update contract_line set cumulative_from = $2 where id = $1"
        await (await driver(session)).execute(begin, made.line.id, today())
    before = NewShipment(
        number="DN-1", shipped_on=today() - timedelta(days=2), lines=[ShippedLine(line_id=line.id, quantity=D(800))]
    )
    async with unit_of_work(tenant.supplier) as session:
        shipment = await ship(session, tenant.supplier, before)
    async with unit_of_work(tenant.supplier) as session:
        (announced,) = await lines_of(session, tenant.supplier, shipment.id)
    await receive(tenant.factory, shipment, counting(announced, 800))
    found, _compared = await line_of(tenant.supplier, made)
    assert list(found.on(today()))[:3] == [800, 800, 800]
    assert [(one.number, one.total) for one in documents(found, today())] == [("DN-1", "800")]
    for figure in (Figure.SHIPPED, Figure.RECEIVED):
        assert [(one.number, one.quantity) for one in found.documents(today(), figure)] == [("DN-1", D(800))]


async def refused(tenant: Tenant, kind: type[PortalError], actor: Actor, made: Made, data: Any) -> None:
    with pytest.raises(kind):
        await proposed(actor, made, data)
    assert await fetch(tenant.factory, "select 1 from cumulative_entry") == []


async def test_what_cannot_be_proposed_is_refused_and_changes_nothing(tenant: Tenant) -> None:
    made, _number = await delivered(tenant)
    fix = Correct(figure=Figure.RECEIVED, quantity=D(5), note="why")
    new = Reset(sync_date=today(), execution_date=today(), note="why")
    late = today() + timedelta(days=1)
    for kind, actor, data in (
        (rules.NothingToCorrect, tenant.supplier, fix.model_copy(update={"quantity": D(0)})),
        (rules.DayAhead, tenant.supplier, fix.model_copy(update={"effective_on": late})),
        (rules.SyncNeeded, tenant.factory, new.model_copy(update={"sync_date": None})),
        (rules.SyncNotWanted, tenant.factory, new.model_copy(update={"kind": EntryKind.OPENING})),
        (rules.SyncAfterExecution, tenant.factory, new.model_copy(update={"sync_date": late})),
        (Forbidden, tenant.as_role(tenant.supplier, Role.CLERK), fix),
        (NotFound, tenant.customer, fix),
    ):
        await refused(tenant, kind, actor, made, data)
    twice = [ReportedDocument(number="A-1", day=today(), quantity=D(1))] * 2
    for said, refusal in (({}, rules.NothingReported), ({"documents": twice}, rules.DocumentTwice)):
        with pytest.raises(refusal):
            await reported(tenant.supplier, made, **said)
    assert await fetch(tenant.factory, "select 1 from cumulative_report") == []


async def test_the_counting_policy_is_the_factorys_and_both_read_it(tenant: Tenant) -> None:
    made, _number = await delivered(tenant)
    data = SetPolicy(count_rejected=False)
    for actor, version, refusal in ((tenant.supplier, 0, Forbidden), (tenant.factory, 3, Stale)):
        with pytest.raises(refusal):
            async with unit_of_work(actor) as session:
                await service.set_policy(session, actor, made.contract.id, data, version)
    async with unit_of_work(tenant.factory) as session:
        await service.set_policy(session, tenant.factory, made.contract.id, data, 0)
    async with read(tenant.supplier) as connection:
        head = await reads.head(connection, tenant.supplier, made.contract.id)
    assert (head.count_rejected, head.version) == (False, 1)


async def test_the_pages_name_the_document_and_propose_its_correction_in_one_press(
    tenant: Tenant, database: Settings
) -> None:
    made, number = await delivered(tenant)
    ann, bob = await make_person(tenant.factory, Role.PLANNER), await make_person(tenant.supplier, Role.PARTNER_ADMIN)
    page, line = f"/contracts/{made.contract.id}/cumulative", made.line.id
    app = create_app(database)
    async with browsing(app, ann.token) as factory, browsing(app, bob.token) as supplier:
        await factory.open(page)
        bad = await factory.send(f"{page}/{line}/reports", received="700", documents="just words")
        done = await factory.send(f"{page}/{line}/reports", received="700", documents=f"{number} {today()} 700")
        seen = text_of(await supplier.open(page))
        fix = {"figure": "received", "quantity": "-60", "effective_on": str(today()), "reason": "partner"}
        fixed = await supplier.send(f"{page}/{line}/corrections", **fix, document=number, note="as reported")
        asked = text_of(await factory.open(page))
        query = "select id from cumulative_entry where contract_line_id = $1"
        ((entry,),) = await fetch(tenant.factory, query, line)
        agreed = await factory.send(f"{page}/entries/{entry}", action="agree")
        after = text_of(await supplier.open(page))
    assert (bad.status_code, done.status_code, fixed.status_code, agreed.status_code) == (422, 303, 303, 303)
    assert "Row 1 is not a document" in text_of(bad)
    assert "is 760 pcs in the portal and 700 pcs in the reported list. Nothing else differs." in seen
    assert "Propose this correction" in seen
    assert "Agree to it" in asked
    assert "agreed by both" in after
    # An agreed difference is not found again: the note counts with its correction, which stands in the list.
    assert "Both lists are alike." in after
    assert "Propose this correction" not in after
    assert f"Correction 1 · {number}" in after
    assert (await figures(tenant.supplier, made))[2] == 700


async def test_every_figure_that_is_typed_or_shown_has_its_unit(tenant: Tenant, database: Settings) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    (line,) = await make_deliveries(tenant, made, [800])
    await sent(tenant, (line, 800))
    planner = await make_person(tenant.factory, Role.PLANNER)
    page = f"/contracts/{made.contract.id}/cumulative"
    async with browsing(create_app(database), planner.token) as browser:
        forms = (await browser.open(page)).text
        day = today() + timedelta(days=1)
        anew = text_of(await browser.open(f"{page}/{made.line.id}/reset?sync_date={day}"))
    assert forms.count('-hint">In pcs</p>') == 3
    assert "Begins with In pcs" in anew
    assert "800 pcs on the way" in anew


async def test_the_interface_reads_any_day_and_carries_the_policys_version(tenant: Tenant, database: Settings) -> None:
    made, number = await delivered(tenant)
    path = f"/api/v1/contracts/{made.contract.id}/cumulative"
    async with calling(database, tenant.factory) as factory, calling(database, tenant.supplier) as supplier:
        found = await supplier.get(path)
        before = (await supplier.get(path, params={"day": str(today() - timedelta(days=1))})).json()
        documents = (await supplier.get(f"{path}/{made.line.id}/documents")).json()
        policy = await factory.put(f"{path}/policy", json={"count_by": "despatch"}, headers={"if-match": '"0"'})
        stale = await factory.put(f"{path}/policy", json={}, headers={"if-match": '"0"'})
        said = await supplier.post(f"{path}/{made.line.id}/reports", json={"received": "750"})
        (report,) = (await factory.get(f"{path}/{made.line.id}/reports")).json()
    assert (found.headers["etag"], policy.headers["etag"], stale.status_code, said.status_code) == (
        '"0"', '"1"', 412, 201
    )  # fmt: skip
    (line,) = found.json()["lines"]
    assert [D(line[name]) for name in ("requested", "shipped", "received", "in_transit", "open")] == [
        800,
        800,
        760,
        0,
        40,
    ]
    assert D(before["lines"][0]["shipped"]) == 0
    assert [(one["number"], D(one["short"])) for one in documents] == [(number, D(40))]
    assert D(report["received_difference"]) == -10
