"""What people are told of commits: the seller is asked and reminded by its card, the buyer reads the answer."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from jobs import forecasts, periods
from jobs.subscribers import Occurrence
from portal.core import clock
from portal.core.db import unit_of_work
from portal.core.ids import uuid7
from portal.forecasts import service
from portal.forecasts.service import SetCommitTerms
from portal.schedules.events import ReleasePublished
from tests.factories import Made, Tenant, fetch
from tests.forecasts.makers import committed, make_forecast, planned
from tests.notices.conftest import Post
from tests.notices.test_compose import card, labels

D = Decimal


async def asked(tenant: Tenant, made: Made, weeks: int = 13) -> None:
    async with unit_of_work(tenant.factory) as session:
        await service.set_terms(session, tenant.factory, made.contract.id, SetCommitTerms(weeks=weeks), 0)


async def ask(post: Post, made: Made) -> None:
    """What the job does after a release."""
    query = "select id from release where contract_id = $1 order by number desc limit 1"
    ((release_id,),) = await fetch(post.tenant.factory, query, made.contract.id)
    event = ReleasePublished(made.contract.id, release_id)
    async with unit_of_work(post.system) as session:
        await forecasts.ask(session, post.system, Occurrence(uuid7(), post.system.party_id, None, clock.now(), event))


async def request_of(tenant: Tenant, made: Made) -> tuple[UUID, datetime]:
    query = "select id, due_at from commit_request where contract_id = $1 order by id desc limit 1"
    ((request_id, due_at),) = await fetch(tenant.factory, query, made.contract.id)
    return request_id, due_at


async def test_the_card_asks_and_then_says_what_was_answered(post: Post, tenant: Tenant) -> None:
    made = await make_forecast(tenant, {1: 100, 2: 50})
    await asked(tenant, made)
    await ask(post, made)
    request_id, _due = await request_of(tenant, made)
    before = await card(tenant.supplier, "commit_request", request_id, "commit")
    buyers = await card(tenant.factory, "commit_request", request_id, "at_risk")
    commit_id = await committed(tenant.supplier, made, percent=D(80))
    assert commit_id is not None
    after = await card(tenant.supplier, "commit_request", request_id, "commit")
    told = await card(tenant.factory, "supply_commit", commit_id, "confirmed")
    assert before.title == "Please commit to a forecast"
    assert before.facts == ("The next 13 weeks:", "A100: 0 of 150\u00a0pcs committed")
    assert before.deadline.startswith("Commit by ")
    assert labels(before) == ["Commit as asked, 13 weeks", "Commit to a share", "Open the page"]
    assert (buyers.title, labels(buyers)) == ("A forecast waits for the seller's commit", ["Open the page"])
    assert (after.state, labels(after)) == ("A forecast was committed to", ["Open the page"])
    assert told.title == "Less than the forecast was committed"
    assert told.facts == ("A100: 120 of 150\u00a0pcs committed",)


async def test_a_release_asks_and_a_lapsed_answer_is_told_to_both(post: Post, tenant: Tenant) -> None:
    await post.awake(tenant.supplier, tenant.factory)
    made = await make_forecast(tenant, {20: 100})
    await asked(tenant, made, weeks=30)
    await planned(tenant, made, {21: 100})
    await ask(post, made)
    await post.pass_on()
    assert "Please commit to a forecast" in post.read(tenant.supplier)
    _request, due_at = await request_of(tenant, made)
    assert await periods.lapse_commits(post.place, due_at + timedelta(seconds=1)) == 1
    await post.pass_on()
    assert "No commit yet: please commit to a forecast" in post.read(tenant.supplier)
    assert "A seller did not commit to a forecast in time" in post.read(tenant.factory)
