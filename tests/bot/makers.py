"""People with a phone, and what their companies see of what they do on it."""

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Litestar

from bot.feeding import Feeder
from jobs import chats as chat_jobs
from jobs.subscribers import Occurrence
from portal.accounts.events import ChatBound, ChatUnbound
from portal.accounts.model_chats import ChatBot
from portal.accounts.updates import waiting
from portal.core.access import Role
from portal.core.actor import Actor, Scope
from portal.core.i18n import Language
from portal.dev.telegram.client import Person as Phone
from portal.dev.telegram.client import World
from tests.accounts.browser import browsing
from tests.accounts.makers import Person, make_person
from tests.factories import fetch


@dataclass(slots=True)
class Linked:
    """Somebody whose chat is linked."""

    person: Person
    phone: Phone

    @property
    def actor(self) -> Actor:
        return self.person.actor


@dataclass(slots=True)
class House:
    """Web, bot and stand-in."""

    app: Litestar
    world: World
    feeder: Feeder

    async def linked(
        self, company: Actor, role: Role | None = None, language: Language = Language.EN, name: str = "Lena"
    ) -> Linked:
        """A member of the company with a phone, linked as the portal's pages do it."""
        usual = Role.PLANNER if company.scope is Scope.FACTORY else Role.CLERK
        person = await make_person(company, role or usual)
        if language is not Language.EN:
            from portal.accounts import identity

            await identity.change_user(person.user_id, language=language)
        phone = await self.world.user(name, language="zh-hans" if language is Language.ZH else "en")
        await self.link(person, phone)
        return Linked(person, phone)

    async def link(self, person: Person, phone: Phone) -> None:
        """Make a link, open it on the phone, approve it in the portal."""
        payload = await self.payload(person)
        await phone.say(f"/start {payload}")
        await self.quiet()
        await self.approve(person)

    async def payload(self, person: Person) -> str:
        async with browsing(self.app, person.token) as browser:
            answer = await browser.send("/profile/chat/link")
        found = re.search(r"\?start=([\w-]+)", answer.text)
        assert found, answer.text
        return found[1]

    async def approve(self, person: Person) -> int:
        async with browsing(self.app, person.token) as browser:
            page = await browser.open("/profile/chat")
            asked = re.search(r"/profile/chat/requests/([\w-]+)/approve", page.text)
            assert asked, "nothing waits for approval"
            return (await browser.send(f"/profile/chat/requests/{asked[1]}/approve")).status_code

    async def tell_chats(self, actor: Actor) -> None:
        """What the worker does about bindings."""
        rows = await fetch(actor, "select * from outbox where tenant_id = $1 and name like 'Chat%'", actor.tenant_id)
        for row in rows:
            kind = {"ChatBound": ChatBound, "ChatUnbound": ChatUnbound}[row["name"]]
            event = kind(chat_id=UUID(row["data"]["chat_id"]))
            occurrence = Occurrence(row["id"], row["party_id"], row["member_id"], row["created_at"], event)
            await {"ChatBound": chat_jobs.greet, "ChatUnbound": chat_jobs.farewell}[row["name"]](actor, occurrence)

    async def quiet(self, bot: ChatBot = ChatBot.TELEGRAM) -> None:
        """Until every stored update was fed and answered."""
        await self.world.delivered()
        async with asyncio.timeout(15):
            while (await waiting(bot)).count:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.feeder.fed.wait(), 0.1)


async def line_now(actor: Actor, line_id: UUID) -> dict[str, Any]:
    """One delivery as this company reads it."""
    (row,) = await fetch(
        actor, "select status, version, confirmed_quantity, supply_state from schedule_line where id = $1", line_id
    )
    return dict(row)
