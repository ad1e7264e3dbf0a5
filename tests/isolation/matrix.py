"""One route tried by everybody about everybody's objects."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from uuid import UUID

from litestar import Litestar

from portal.web.examples import document
from tests.isolation.calls import Answer, Parts, anonymous, filled, send
from tests.isolation.expect import Spec
from tests.isolation.fingerprint import changed, fingerprint
from tests.isolation.table import Route, is_program
from tests.isolation.things import Ids, Token, absent
from tests.isolation.world import Place, Principal, World

TURNED_AWAY = ("/sign-in", "/companies")


@dataclass(slots=True)
class Tally:
    """What the cells of a route said."""

    refused: int = 0
    allowed: int = 0
    succeeded: int = 0
    surprises: list[str] = field(default_factory=list)

    @property
    def cells(self) -> int:
        return self.refused + self.allowed


@dataclass(slots=True)
class Trial:
    """One way of trying a route."""

    world: World
    route: Route
    spec: Spec
    tally: Tally

    async def run(self) -> None:
        """First what must be refused and change nothing, then what must succeed."""
        objects = await self.objects()
        cells = [(sender, place) for sender in self.senders() for place in self.spec.where()]
        allowed = {
            (sender.name, place): self.spec.allows(self.world, sender.actor, place, objects[place])
            for sender, place in cells
        }
        await self.refusals([cell for cell in cells if not allowed[cell[0].name, cell[1]]], objects)
        for sender, place in cells:
            if allowed[sender.name, place]:
                await self.success(sender, place, objects[place])

    def senders(self) -> list[Principal]:
        return self.world.programs if is_program(self.route) else self.world.browsers

    async def objects(self) -> dict[Place, Ids]:
        """One object for each place, and one that is nobody's but looks the same."""
        made: dict[Place, Ids] = {}
        for place in self.spec.where():
            if place is not Place.ABSENT:
                made[place] = await self.make(place)
        if Place.ABSENT in self.spec.where():
            made[Place.ABSENT] = absent(made[Place.A])
        return made

    async def make(self, place: Place) -> Ids:
        """For whoever is refused; who succeeds with it would change it, gets one of its own."""
        return await named(self.world, self.route, self.spec, place, refused=self.spec.fresh)

    # --- what must not happen -----------------------------------------------------------------------------------------

    async def refusals(self, cells: list[tuple[Principal, Place]], objects: dict[Place, Ids]) -> None:
        """Nobody succeeds, nothing changes, and nobody learns whether the object is another's or nobody's."""
        before = await fingerprint(self.world.owner)
        answers: dict[tuple[str, Place], Answer] = {}
        for sender, place in cells:
            answer = await self.ask(sender, objects[place])
            answers[sender.name, place] = answer
            self.tally.refused += 1
            if self.succeeded(answer):
                self.complain(sender, place, f"unexpected success {answer.status} {answer.headers.get('location', '')}")
            if answer.status >= 500:
                self.complain(sender, place, f"failed with {answer.status}")
            self.look_for_secrets(sender, place, answer, objects[place])
        if difference := changed(before, await fingerprint(self.world.owner)):
            self.tally.surprises.append(f"refused requests changed {difference}")
        await self.compare(cells, objects, answers)

    async def compare(
        self, cells: list[tuple[Principal, Place]], objects: dict[Place, Ids], answers: dict[tuple[str, Place], Answer]
    ) -> None:
        """What the sender may not know of is answered as what does not exist."""
        for sender, place in cells:
            unknown = (sender.name, Place.ABSENT)
            if unknown not in answers or self.spec.knows(self.world, sender.actor, place, objects[place]):
                continue
            mine, nobodys, nothing = answers[sender.name, place], answers[unknown], objects[Place.ABSENT]
            if shape(objects[place]) != shape(nothing):
                nothing = absent(objects[place])
                nobodys = await self.ask(sender, nothing)
            if mine.status != nobodys.status or mine.place != anonymous_place(nobodys, mine):
                self.complain(sender, place, f"answered {mine.status}, but {nobodys.status} for what does not exist")
            elif anonymous(mine.text, *own(objects[place])) != anonymous(nobodys.text, *own(nothing)):
                self.complain(sender, place, "the body differs from that for what does not exist")

    # --- what must happen ---------------------------------------------------------------------------------------------

    async def success(self, sender: Principal, place: Place, ids: Ids) -> None:
        if self.spec.fresh:
            ids = await named(self.world, self.route, self.spec, place)
        if self.spec.double and sender.actor is not None:
            sender = await self.world.double(sender)
        answer = await self.ask(sender, ids)
        self.tally.allowed += 1
        if self.succeeded(answer):
            self.tally.succeeded += 1
        else:
            said = " ".join(anonymous(answer.text).split())[-300:]
            self.complain(sender, place, f"expected success, got {answer.status} {answer.place} {said}")
        self.look_for_secrets(sender, place, answer, ids)

    # --- one request --------------------------------------------------------------------------------------------------

    async def ask(self, sender: Principal, ids: Ids) -> Answer:
        method, path = self.route
        parts = self.spec.parts(ids | {"email": sender.email or self.world.browsers[1].email})
        answer = await send(self.world.app, method, filled(path, ids), signed(parts, sender), sender.headers)
        if is_program(self.route) and str(answer.status) not in described(self.world.app, method, path):
            self.tally.surprises.append(f"{sender.name}: {answer.status} is not in the description of the interface")
        return answer

    def succeeded(self, answer: Answer) -> bool:
        if answer.status in {301, 302, 303, 307}:
            return answer.place not in TURNED_AWAY or answer.place == self.spec.leads_to
        return 200 <= answer.status < 300

    def look_for_secrets(self, sender: Principal, place: Place, answer: Answer, ids: Ids) -> None:
        """No text of another company is in the answer, unless the request itself said it."""
        if self.spec.shows_bearer:
            return
        said = set(own(ids))
        leaked = [text for text in self.world.secrets_from(sender.actor) - said if text in answer.text]
        if leaked:
            self.complain(sender, place, f"the answer tells {sorted(leaked)}")

    def complain(self, sender: Principal, place: Place, what: str) -> None:
        self.tally.surprises.append(f"{sender.name} about {place.value} object: {what}")


def signed(parts: Parts, sender: Principal) -> Parts:
    """A form as the sender's own page would send it."""
    if (parts.form is None and parts.file is None) or not sender.form_token:
        return parts
    return replace(parts, form={"_csrf_token": sender.form_token, **(parts.form or {})})


def own(ids: Ids) -> Iterator[str]:
    """The values that a request carries, longest first."""
    values = {str(value) for value in ids.values() if isinstance(value, Token) or len(str(value)) > 8}
    return iter(sorted(values, key=len, reverse=True))


def shape(ids: Ids) -> dict[str, str]:
    """What a request says beside ids; two requests of the same shape ask for the same thing of two objects."""
    return {name: str(value) for name, value in ids.items() if not isinstance(value, UUID | Token)}


def anonymous_place(there: Answer, here: Answer) -> str:
    """Where the answer about nothing leads, comparable with where the other one does."""
    return here.place if anonymous(there.place) == anonymous(here.place) else there.place


async def named(world: World, route: Route, spec: Spec, place: Place, *, refused: bool = False) -> Ids:
    """What the ids of a request name. Reading changes nothing, so all that read one kind of thing share one.

    Nor do requests that are refused: they share one too, unless it is on a contract where others have their things.
    """
    if spec.thing is None:
        return dict(spec.given)
    reads = route[0] == "GET" and not spec.fresh
    shared = world.read_alone if reads else world.refused_alone
    if (reads or refused) and (spec.thing, place) in shared:
        return shared[spec.thing, place] | spec.given
    made = await spec.thing(world, place)
    if reads or (refused and world.is_apart(made)):
        shared[spec.thing, place] = made
    return made | spec.given


async def try_route(world: World, route: Route, ways: tuple[Spec, ...]) -> Tally:
    """All cells of one route."""
    tally = Tally()
    for spec in ways:
        await Trial(world, route, spec, tally).run()
    return tally


def described(app: Litestar, method: str, path: str) -> set[str]:
    """The statuses that the description of the interface gives for an operation."""
    item = document(app)["paths"][re.sub(r":\w+}", "}", path)]
    return set(item[method.lower()]["responses"])
