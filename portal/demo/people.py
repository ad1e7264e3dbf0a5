"""Who can sign in to the demo. The addresses lead nowhere, and the password is printed on the terminal."""

from dataclasses import dataclass, replace
from uuid import UUID

from portal.accounts import identity
from portal.accounts.service import InviteMember
from portal.accounts.service_joining import add_member
from portal.core.access import Role
from portal.core.actor import Actor, Channel, Scope
from portal.core.i18n import N_, Language

PASSWORD = "calm-harbour-lantern"  # noqa: S105 - printed on purpose; the demo holds published data only
FACTORY, CUSTOMER, SUPPLIER = "factory", "customer", "supplier"


@dataclass(frozen=True, slots=True)
class Person:
    """One sign-in: for which company, in which role, reading which language, and what there is to do."""

    email: str
    name: str
    company: str
    role: Role
    language: Language
    task: str


PEOPLE = (
    Person("chen.lin@factory.example", "陈琳", FACTORY, Role.ADMIN, Language.ZH, N_("everything, people and imports")),
    Person(
        "lena.vogt@factory.example", "Lena Vogt", FACTORY, Role.PLANNER, Language.EN, N_("confirms three deliveries")
    ),
    Person(
        "zhao.min@factory.example",
        "赵敏",
        FACTORY,
        Role.BUYER,
        Language.ZH,
        N_("answers a supplier's counter-offer and wish for a later day"),
    ),
    Person("wang.wei@factory.example", "王伟", FACTORY, Role.WAREHOUSE, Language.ZH, N_("receives a delivery note")),
    Person(
        "mary.banda@customer.example",
        "Mary Banda",
        CUSTOMER,
        Role.PARTNER_ADMIN,
        Language.EN,
        N_("answers a proposed contract, receives a delivery note"),
    ),
    Person(
        "joseph.phiri@customer.example", "Joseph Phiri", CUSTOMER, Role.CLERK, Language.EN, N_("sees one contract only")
    ),
    Person(
        "li.na@supplier.example",
        "李娜",
        SUPPLIER,
        Role.PARTNER_ADMIN,
        Language.ZH,
        N_("confirms three deliveries, ships"),
    ),
    Person(
        "samuel.okoro@freight.example",
        "Samuel Okoro",
        CUSTOMER,
        Role.CLERK,
        Language.EN,
        N_("acts for two companies and switches"),
    ),
    Person(
        "samuel.okoro@freight.example",
        "Samuel Okoro",
        SUPPLIER,
        Role.CLERK,
        Language.EN,
        N_("acts for two companies and switches"),
    ),
)


async def join_all(system: Actor, companies: dict[str, UUID], zone: str) -> dict[str, Actor]:
    """Make everybody, and return the actor of each company's first person, and the planner's."""
    actors: dict[str, Actor] = {}
    for person in PEOPLE:
        party_id = companies[person.company]
        invitation = InviteMember(email=person.email, name=person.name, role=person.role)
        member_id = await add_member(system, party_id, invitation, PASSWORD)
        user = await identity.find_user(person.email)
        assert user  # was just made
        await identity.change_user(user.id, language=person.language)
        actor = replace(
            system,
            party_id=party_id,
            scope=Scope.FACTORY if person.company == FACTORY else Scope.PARTNER,
            role=person.role,
            member_id=member_id,
            name=person.name,
            time_zone=zone,
            channel=Channel.PAGE,
        )
        actors.setdefault(person.company, actor)
        actors[f"{person.company} {person.role.value}"] = actors.get(f"{person.company} {person.role.value}", actor)
    return actors
