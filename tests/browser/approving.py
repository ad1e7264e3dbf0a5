"""Rules in force, a draft that differs, a request that waits and one that was decided."""

from decimal import Decimal

from portal.approvals.inputs import Condition, Group, Join, Op, Outcome, OutcomeKind, Rule, Rules
from portal.approvals.model import ApprovalPoint
from portal.approvals.service import Decision, ask, decide
from portal.approvals.service_sets import publish, write_draft
from portal.core.access import Role
from portal.core.actor import Actor, Scope
from portal.core.db import unit_of_work
from portal.core.i18n import Language
from portal.core.ids import uuid7
from portal.core.journal import Subject
from tests.approvals.makers import approvers
from tests.browser.own_fields import a_field_of_items

CHANGE = ApprovalPoint.CHANGE


NAMES = {Language.EN: ("Small and early", "Firm or large", "Castings are short until March."),
         Language.ZH: ("量小且提前", "锁定区或金额大", "铸件三月前短缺。")}  # fmt: skip


def _rules(limit: int, names: tuple[str, str, str]) -> Rules:
    small = Condition(fact="change_percent", op=Op.WITHIN, values=[str(limit)])
    early = Condition(fact="notice_days", op=Op.AT_LEAST, values=["14"])
    firm = Condition(fact="zone", op=Op.ANY_OF, values=["firm"])
    large = Condition(fact="value", op=Op.MORE, values=["50000"])
    passing = Group(join=Join.AND, of=[Group(join=Join.AND, of=[small, early]), Condition(fact="band", op=Op.ANY_OF,
                    values=["inside", "none"])])  # fmt: skip
    asked = approvers(Role.SALES, Role.FINANCE, answer_hours=16)
    asked.approvers[0].limit = Decimal(100_000)
    return Rules(
        rules=[
            Rule(name=names[0], when=passing, then=Outcome(kind=OutcomeKind.APPROVE)),
            Rule(name=names[1], when=Group(join=Join.OR, of=[firm, large]), then=asked),
        ],
        otherwise=approvers(Role.SALES, answer_hours=8),
    )


async def make_approvals(factory: Actor, language: Language) -> dict[str, str]:
    """Ids of the case that waits for the administrator, because nobody has the role that is asked."""
    names = NAMES[language]
    system = Actor.system(factory.tenant_id, factory.party_id)
    async with unit_of_work(factory) as session:
        field_id = await a_field_of_items(session, factory)
        draft = await write_draft(session, factory, CHANGE, _rules(10, names))
        await publish(session, factory, CHANGE, draft.version, note="2026-11")
        await write_draft(session, factory, CHANGE, _rules(30, names))
    facts = {
        "kind": "quantity",
        "direction": "sale",
        "asked_by": "partner",
        "zone": ["firm", "tradeoff"],
        "change_percent": Decimal("-25.5"),
        "change_quantity": Decimal(-204),
        "unit": "H87",
        "reason": "demand",
        "notice_days": 6,
        "value": Decimal("12500.50"),
        "party": "AURORA",
        "item": "A100",
    }
    made = []
    for number in (7, 8):
        async with unit_of_work(system) as session:
            about = Subject("change_request", uuid7(), factory.party_id)
            label = f"C-{number}"
            made.append(await ask(session, system, CHANGE, about, facts, label=label, requested_scope=Scope.PARTNER))
    async with unit_of_work(factory) as session:
        await decide(session, factory, made[0].id, made[0].version, Decision.REFUSE, names[2])
    return {"case_id": str(made[1].id), "field_id": field_id}
