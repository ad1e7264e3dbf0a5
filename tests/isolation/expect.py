"""Who may do what, derived from the access table, the sides of a contract and who sees whom; never cell by cell."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from portal.core.access import Permission
from portal.core.actor import Actor, Direction, Scope
from portal.core.states import Side
from tests.isolation.calls import Parts
from tests.isolation.things import Ids, Thing
from tests.isolation.world import OF_COMPANIES, OF_CONTRACTS, Place, World, sees


class Sight(Enum):
    """Whom an object is visible to."""

    CONTRACT = auto()  # the factory, the contract's partner, and colleagues who are not restricted to others
    COMPANY = auto()  # the factory and the company itself
    FACTORY = auto()  # the factory alone
    OWN = auto()  # the company itself alone, not even the factory
    LINK = auto()  # whoever holds the link
    NOBODY = auto()  # the person itself, who is none of the senders


class Audience(Enum):
    """Who is let in at all."""

    MEMBERS = auto()  # signed in for a company, or with a key
    EVERYBODY = auto()
    STRANGERS = auto()  # only who is not signed in
    NOBODY = auto()  # an address that the framework keeps and that answers nothing


@dataclass(frozen=True, slots=True)
class Spec:
    """One route: what its ids name, how to send it, and who is expected to succeed."""

    thing: Thing | None = None  # makes what the ids name; None: it names nothing
    parts: Callable[[Ids], Parts] = lambda ids: Parts()
    need: Permission | None = Permission.READ
    partner_need: Permission | None = None  # what partners need instead, where the two companies differ
    scope: Scope | None = None
    side: Side | None = None  # which side of the contract acts; None: either
    sight: Sight = Sight.CONTRACT
    filters: bool = False  # ids only narrow a list: everybody gets an answer, which then is empty
    fresh: bool = False  # changes what it names, so each success needs an object of its own
    audience: Audience = Audience.MEMBERS
    double: bool = False  # ends the sender's session, so somebody else of the same rights sends it
    restricted: bool = True  # whether a restricted colleague may at all
    leads_to: str = ""  # where success redirects, when that looks like a refusal
    given: dict[str, Any] = field(default_factory=dict)  # parts of the path that are nobody's
    shows_bearer: bool = False  # the answer is for whoever holds the link, and names the company
    places: tuple[Place, ...] = field(default=())

    def where(self) -> tuple[Place, ...]:
        """Whose objects are tried."""
        if self.places or self.thing is None:
            return self.places or (Place.FACTORY,)
        return OF_COMPANIES if self.sight in {Sight.COMPANY, Sight.OWN, Sight.LINK, Sight.NOBODY} else OF_CONTRACTS

    def knows(self, world: World, actor: Actor | None, place: Place, ids: Ids) -> bool:
        """Whether the sender may know that the object exists."""
        if self.thing is None:
            return True
        if place is Place.ABSENT:
            return False
        if self.sight is Sight.LINK:
            return True
        if actor is None or self.sight is Sight.NOBODY:
            return False
        contract_id = ids.get("contract_id") if self.sight is Sight.CONTRACT else None
        if not sees(actor, world.company(place), contract_id):
            return False
        if self.sight is Sight.FACTORY:
            return actor.is_factory
        return self.sight is not Sight.OWN or actor.party_id == world.company(place).party_id

    def allows(self, world: World, actor: Actor | None, place: Place, ids: Ids) -> bool:
        """Whether the sender is expected to succeed."""
        if self.audience is Audience.EVERYBODY or (self.audience is Audience.STRANGERS and actor is None):
            return self.knows(world, actor, place, ids)
        if actor is None or self.audience is not Audience.MEMBERS:
            return False
        need = self.partner_need if self.partner_need and not actor.is_factory else self.need
        if need is not None and not actor.may(need):
            return False
        if self.scope is not None and actor.scope is not self.scope:
            return False
        if actor.contract_ids is not None and not self.restricted:
            return False
        if self.filters:
            return True
        return self.knows(world, actor, place, ids) and self._on_its_side(world, actor, place)

    def _on_its_side(self, world: World, actor: Actor, place: Place) -> bool:
        if self.side is None or self.thing is None:
            return True
        return actor.side_on(world.direction(place)) is self.side


SELLER, BUYER = Side.SELLER, Side.BUYER
FACTORY, PARTNER = Scope.FACTORY, Scope.PARTNER
SALE, PURCHASE = Direction.SALE, Direction.PURCHASE


def form(*names: str, **values: Any) -> Callable[[Ids], Parts]:
    """A form with the named ids and the given fields."""
    return lambda ids: Parts(form={name: ids[name] for name in names} | values)


def query(*names: str, **values: Any) -> Callable[[Ids], Parts]:
    """An address that carries the named ids."""
    return lambda ids: Parts(query={name: ids[name] for name in names} | values)


def asked(**names: str) -> Callable[[Ids], Parts]:
    """An address whose parameters carry ids of other names: asked(contract="contract_id")."""
    return lambda ids: Parts(query={parameter: ids[name] for parameter, name in names.items()})


def body(versioned: bool = False, **values: Any) -> Callable[[Ids], Parts]:
    """JSON whose callable values are taken from the ids; with the version as If-Match where it is needed."""

    def made(ids: Ids) -> Parts:
        said = {name: value(ids) if callable(value) else value for name, value in values.items()}
        return Parts(json=said, version=ids["version"] if versioned else None)

    return made


def version(ids: Ids) -> Parts:
    """Nothing but the version that was seen."""
    return Parts(version=ids["version"])


def of(name: str) -> Callable[[Ids], Any]:
    """An id as text."""
    return lambda ids: str(ids[name])
