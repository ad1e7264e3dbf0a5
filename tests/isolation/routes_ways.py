"""Ways out and in: calendar feeds, and workbooks of answers and commits."""

from dataclasses import replace

from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.schedules import service_feeds
from portal.schedules.service_feeds import NewFeed
from portal.sync import service_books, sheet_answers
from tests.factories import fetch
from tests.isolation.calls import Parts
from tests.isolation.expect import SELLER, Audience, Sight, Spec, asked, body, form, query
from tests.isolation.routes_forecasts import forecast
from tests.isolation.routes_open import Routes
from tests.isolation.things import Ids, Token, contract, member
from tests.isolation.world import Place, World

P = Permission


async def feed(world: World, place: Place) -> Ids:
    """A feed of somebody of the place's company, made by an administrator there; of a contract with few deliveries,
    because it is sent to everybody in turn."""
    ids = await member(world, place)
    actor: Actor = world.company(place)
    few = Place.A_OTHER if place in {Place.A, Place.FACTORY} else place
    data = NewFeed(name="Phone", contract_id=world.contracts[few].contract.id)
    async with unit_of_work(actor) as session:
        made, address = await service_feeds.make_feed(session, actor, ids["member_id"], data)
    name = address.rpartition("/")[2]
    return {"member_id": ids["member_id"], "feed_id": made.id, "name": Token(name)}


async def release(world: World, place: Place) -> Ids:
    """The place's contract with its release."""
    ids = await contract(world, place)
    query = "select id from release where contract_id = $1 and number = $2"
    ((release_id,),) = await fetch(world.companies[place].factory, query, ids["contract_id"], ids["number"])
    return {"contract_id": ids["contract_id"], "release_id": release_id}


async def answers(world: World, place: Place) -> Ids:
    """A workbook of what waits for the place's company; for the factory, of what waits for its suppliers."""
    actor: Actor = world.company(place)
    async with unit_of_work(actor) as session:
        return {"book": await sheet_answers.export(session, actor, None, actor.is_factory)}


async def book_run(world: World, place: Place) -> Ids:
    """The same, sent back and waiting."""
    actor: Actor = world.company(place)
    book = (await answers(world, place))["book"]
    async with unit_of_work(actor) as session:
        return {"run_id": (await service_books.upload(session, actor, "answers.xlsx", book)).id}


def sent_book(ids: Ids) -> Parts:
    return Parts(file=("answers.xlsx", ids["book"]))


ANSWERING = Spec(need=P.PUBLISH_SCHEDULES, partner_need=P.CONFIRM_LINES)
SENT = replace(ANSWERING, thing=answers, parts=sent_book, sight=Sight.OWN, places=(Place.FACTORY,))
RUN = replace(ANSWERING, thing=book_run, sight=Sight.OWN, restricted=False)
COMMITTING = Spec(forecast, need=P.CONFIRM_LINES, side=SELLER)
FEED = Spec(feed, need=P.MANAGE_PEOPLE, sight=Sight.OWN)
ROUTES: Routes = {
    ("GET", "/answers/workbook"): Spec(contract, asked(contract="contract_id"), need=P.CONFIRM_LINES, filters=True),
    ("GET", "/contracts/{contract_id:uuid}/forecast/workbook"): COMMITTING,
    ("GET", "/workbooks"): ANSWERING,
    ("POST", "/workbooks"): SENT,
    ("GET", "/workbooks/{run_id:uuid}"): RUN,
    ("GET", "/workbooks/{run_id:uuid}/rest"): RUN,
    ("POST", "/workbooks/{run_id:uuid}/apply"): replace(RUN, parts=form(), fresh=True),
    ("GET", "/api/v1/contracts/{contract_id:uuid}/known"): Spec(contract, query(as_of="2026-01-31T08:00:00Z")),
    ("GET", "/api/v1/release-events"): Spec(),
    ("GET", "/api/v1/releases/{release_id:uuid}"): Spec(release),
    ("GET", "/api/v1/workbooks/answers"): Spec(contract, query("contract_id"), need=P.CONFIRM_LINES, filters=True),
    ("GET", "/api/v1/workbooks/commits"): replace(COMMITTING, parts=query("contract_id")),
    ("POST", "/api/v1/workbooks"): SENT,
    ("GET", "/api/v1/workbooks/{run_id:uuid}"): RUN,
    ("GET", "/api/v1/workbooks/{run_id:uuid}/rest"): RUN,
    ("POST", "/api/v1/workbooks/{run_id:uuid}/apply"): replace(RUN, parts=lambda ids: Parts(json={}), fresh=True),
    ("GET", "/profile/calendars"): Spec(),
    ("POST", "/profile/calendars"): Spec(parts=form(name="Phone")),
    ("POST", "/profile/calendars/{feed_id:uuid}/revoke"): Spec(feed, form(), sight=Sight.NOBODY),
    ("GET", "/calendar/{name:str}"): Spec(feed, audience=Audience.EVERYBODY, sight=Sight.LINK, shows_bearer=True),
    ("HEAD", "/calendar/{name:str}"): Spec(feed, audience=Audience.EVERYBODY, sight=Sight.LINK),
    ("GET", "/api/v1/members/{member_id:uuid}/calendar-feeds"): FEED,
    ("POST", "/api/v1/members/{member_id:uuid}/calendar-feeds"): Spec(
        member, body(name="Phone"), need=P.MANAGE_PEOPLE, sight=Sight.OWN, fresh=True
    ),
    ("DELETE", "/api/v1/members/{member_id:uuid}/calendar-feeds/{feed_id:uuid}"): Spec(
        feed, need=P.MANAGE_PEOPLE, sight=Sight.OWN, fresh=True
    ),
}
