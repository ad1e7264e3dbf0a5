"""Ways out and in: calendar feeds."""

from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.schedules import service_feeds
from portal.schedules.service_feeds import NewFeed
from tests.isolation.expect import Audience, Sight, Spec, body, form
from tests.isolation.routes_open import Routes
from tests.isolation.things import Ids, Token, member
from tests.isolation.world import Place, World

P = Permission


async def feed(world: World, place: Place) -> Ids:
    """A feed of somebody of the place's company, made by an administrator there."""
    ids = await member(world, place)
    actor: Actor = world.company(place)
    async with unit_of_work(actor) as session:
        made, address = await service_feeds.make_feed(session, actor, ids["member_id"], NewFeed(name="Phone"))
    name = address.rpartition("/")[2]
    return {"member_id": ids["member_id"], "feed_id": made.id, "name": Token(name)}


FEED = Spec(feed, need=P.MANAGE_PEOPLE, sight=Sight.OWN)
ROUTES: Routes = {
    ("GET", "/profile/calendars"): Spec(),
    ("POST", "/profile/calendars"): Spec(parts=form(name="Phone")),
    ("POST", "/profile/calendars/{feed_id:uuid}/revoke"): Spec(feed, form(), sight=Sight.NOBODY),
    ("GET", "/calendar/{name:str}"): Spec(feed, audience=Audience.EVERYBODY, sight=Sight.LINK, shows_bearer=True),
    ("GET", "/api/v1/members/{member_id:uuid}/calendar-feeds"): FEED,
    ("POST", "/api/v1/members/{member_id:uuid}/calendar-feeds"): Spec(
        member, body(name="Phone"), need=P.MANAGE_PEOPLE, sight=Sight.OWN, fresh=True
    ),
    ("DELETE", "/api/v1/members/{member_id:uuid}/calendar-feeds/{feed_id:uuid}"): Spec(
        feed, need=P.MANAGE_PEOPLE, sight=Sight.OWN, fresh=True
    ),
}
