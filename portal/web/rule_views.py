"""Rule sets in the reader's words: as sentences, as a form, tried on the past."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.approvals import service_sets, service_writing, words
from portal.approvals.effects import asked_at
from portal.approvals.facts import OPS, POINT_NAMES, Fact, FactKind, facts_of
from portal.approvals.inputs import MOST_STEPS, Join, Mode, OutcomeKind, Rule
from portal.approvals.model import ApprovalPoint, RuleSet, RuleSetStatus
from portal.approvals.own import own_facts
from portal.approvals.rules import APPROVER_ROLES
from portal.approvals.rules_matching import without_rules
from portal.approvals.rules_trial import Trial
from portal.contracts.service_rates import own_currency
from portal.core import clock, i18n
from portal.core.access import ROLE_NAMES
from portal.core.actor import Actor
from portal.core.errors import NotFound, PortalError
from portal.core.faults import NotADate
from portal.core.i18n import N_, _
from portal.fields.model import Holder
from portal.fields.words import ONE
from portal.web import rule_errors
from portal.web.errors import BadForm
from portal.web.rule_form import NEW_GROUP, ConditionRow, Known, RuleForm
from portal.web.rule_form import form_of as rule_as_form

OTHERWISE = "otherwise"
NOT_ASKED = N_("The portal asks nothing here yet. Rules can be written and kept; they decide nothing so far.")
JOIN_NAMES = {Join.AND: N_("all of these hold"), Join.OR: N_("any of these holds")}


class RuleView(Struct, frozen=True):
    """One rule as a sentence."""

    no: int
    name: str
    condition: str
    outcome: str


class VersionView(Struct, frozen=True):
    """One version of a rule set."""

    number: int
    title: str
    rules: list[RuleView]
    otherwise: str
    note: str
    version: int


# --- lists ------------------------------------------------------------------------------------------------------------


async def points_context(session: AsyncSession, actor: Actor) -> dict[str, Any]:
    """What `rules/points.html` shows: each point with what is in force."""
    service_sets.require(actor)
    rows = []
    for point, name in POINT_NAMES.items():
        live, _rules = await service_sets.in_force(session, actor, point, clock.now())
        draft = await service_sets.get_draft(session, actor, point)
        rows.append(
            (
                point.value,
                _(name),
                in_force_words(live, actor),
                draft is not None,
                "" if asked_at(point) else _(NOT_ASKED),
            )
        )
    return {"points": rows}


def in_force_words(live: RuleSet | None, actor: Actor) -> str:
    """Version 3, in force from 23 Nov 2026, 18:00: 4 rules."""
    if live is None or live.live_from is None:
        return _("No rules are in force.")
    rules = i18n.ngettext("{n} rule", "{n} rules", len(service_sets.rules_of(live).rules))
    text = _("Version {n}, in force from {when}: {rules}")
    when = i18n.moment(live.live_from, actor.time_zone)
    count = i18n.number(len(service_sets.rules_of(live).rules))
    return text.format(n=live.number, when=when, rules=rules.format(n=count))


async def point_context(session: AsyncSession, actor: Actor, point: ApprovalPoint) -> dict[str, Any]:
    """What `rules/point.html` shows."""
    found = await service_sets.list_sets(session, actor, point)
    live, _rules = await service_sets.in_force(session, actor, point, clock.now())
    currency = await own_currency(session, actor)
    own = await own_facts(session, actor)
    views = {each.number: version_view(each, actor, currency, own) for each in found}
    draft = next((each for each in found if each.status is RuleSetStatus.DRAFT), None)
    return {
        "point": point.value,
        "title": _(POINT_NAMES[point]),
        "draft": views[draft.number] if draft else None,
        "in_force": views[live.number] if live else None,
        "others": [views[each.number] for each in found if each not in (draft, live)],
        "without": without_words(point),
        "not_asked": "" if asked_at(point) else _(NOT_ASKED),
        "refusal": "",
        "file": "",
        "file_wrong": "",
    }


def without_words(point: ApprovalPoint) -> list[str]:
    """What holds without rules, in words."""
    cases: tuple[dict[str, Any], ...] = ({"asked_by": ["partner"], "direction": ["sale"]}, {})
    names = [without_rules(point, facts) for facts in (cases if point is ApprovalPoint.CHANGE else ({},))]
    return [
        _("{name}: {outcome}").format(name=_(each.rule.name), outcome=words.outcome(each.outcome, "")) for each in names
    ]


def version_view(found: RuleSet, actor: Actor, currency: str, own: Sequence[Fact]) -> VersionView:
    rules = service_sets.rules_of(found)
    if found.live_from is None:
        text, when = _("Draft of version {n}, changed {when} by {name}"), found.changed_at
    elif found.live_from > clock.now():
        text, when = _("Version {n}, in force from {when} on, by {name}"), found.live_from
    else:
        text, when = _("Version {n}, from {when}, by {name}"), found.live_from
    return VersionView(
        number=found.number,
        title=text.format(n=found.number, when=i18n.moment(when, actor.time_zone), name=found.changed_by),
        rules=[rule_view(found.point, no, rule, currency, own) for no, rule in enumerate(rules.rules, 1)],
        otherwise=words.outcome(rules.otherwise, currency) if rules.otherwise else "",
        note=found.note,
        version=found.version,
    )


def rule_view(point: ApprovalPoint, no: int, rule: Rule, currency: str, own: Sequence[Fact]) -> RuleView:
    return RuleView(no, rule.name, words.condition(point, rule, currency, own), words.outcome(rule.then, currency))


# --- one rule as a form -----------------------------------------------------------------------------------------------


async def known_at(session: AsyncSession, actor: Actor, point: ApprovalPoint) -> Known:
    """What conditions of a point can look at. Raises NotFound or Forbidden."""
    service_sets.require(actor)
    return facts_of(point, await own_facts(session, actor, point))


async def form_of(
    session: AsyncSession, actor: Actor, point: ApprovalPoint, no: str, known: Known
) -> tuple[RuleForm, int]:
    """The form of a rule of the draft with the draft's version. Raises NotFound or TooDeepForForm."""
    draft = await service_sets.get_draft(session, actor, point)
    rules, version = service_sets.rules_of(draft), draft.version if draft else 0
    if no == OTHERWISE:
        kept = rules.otherwise
        return (rule_as_form(Rule(name=OTHERWISE, then=kept), known) if kept else RuleForm(name=OTHERWISE)), version
    if not no:
        return RuleForm(), version
    number = _number(no)
    if not 1 <= number <= len(rules.rules):
        raise NotFound
    return rule_as_form(rules.rules[number - 1], known), version


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 5 else 0


def version_of(typed: Mapping[str, str]) -> int:
    """The version of the draft that the form was made for. Raises BadForm."""
    text = typed.get("version", "")
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise BadForm(field="version", fields="version")
    return int(text)


async def save(
    session: AsyncSession, actor: Actor, point: ApprovalPoint, no: str, form: RuleForm, version: int
) -> None:
    """Write the rule of the form into the draft."""
    if no == OTHERWISE:
        await service_writing.save_otherwise(session, actor, point, version, form.outcome())
        return
    await service_writing.save_rule(session, actor, point, version, form.rule(), _number(no) if no else None)


def reshape(form: RuleForm, known: Known, do: str, typed: Mapping[str, str]) -> None:
    """A button that changes the form only. Raises BadForm for one that it does not have."""
    kind, _sign, place = do.partition("-")
    number = _number(place) if place.isdecimal() else -1
    match kind:
        case "add":
            form.add(known, typed.get("new.fact", ""), typed.get("new.group", ""))
        case "approver" if len(form.approvers) < MOST_STEPS:
            form.approvers.append(("", ""))
        case "drop" if 0 <= number < len(form.rows):
            del form.rows[number]
        case "leave" if 0 <= number < len(form.approvers):
            del form.approvers[number]
        case _:
            raise BadForm(field="do", fields="do")


def form_context(
    point: ApprovalPoint, known: Known, form: RuleForm, no: str, version: int, error: PortalError | None = None
) -> dict[str, Any]:
    """What `rules/rule.html` shows."""
    groups = [
        (number, join, [row_view(index, row) for index, row in enumerate(form.rows) if row.group == number])
        for number, join in enumerate(form.joins)
    ]
    return {
        "point": point.value,
        "point_name": _(POINT_NAMES[point]),
        "form": form,
        "no": no,
        "version": version,
        "is_otherwise": no == OTHERWISE,
        "wrong": rule_errors.placed(error, form, no),
        "groups": groups,
        "facts": [("", _("choose a fact")), *offered(known)],
        "places": [
            *((str(n), _("to group {n}").format(n=n + 1)) for n in range(len(form.joins))),
            (NEW_GROUP, _("to a new group")),
        ],
        "joins": [(join.value, _(name)) for join, name in JOIN_NAMES.items()],
        "kinds": [(kind.value, _(words.OUTCOME_NAMES[kind])) for kind in OutcomeKind],
        "modes": [(mode.value, _(words.MODE_NAMES[mode])) for mode in Mode],
        "roles": [("", "–"), *((role.value, _(ROLE_NAMES[role])) for role in APPROVER_ROLES)],
    }


def offered(known: Known) -> list[tuple[str, str]]:
    """What a new condition can be about."""
    return [(fact.name, fact_label(fact)) for fact in known.values() if not fact.removed]


def fact_label(fact: Fact) -> str:
    """The label of a fact; with its unit, because two facts may share one; of an own field with whose it is."""
    unit = words.unit_of(fact)
    named = f"{fact.named()}{_(' ({unit})').format(unit=unit)}" if unit else fact.named()
    if not fact.own:
        return named
    return _("{holder}: {label}").format(holder=_(ONE[Holder(fact.name.partition(".")[0])]), label=named)


def row_view(index: int, row: ConditionRow) -> dict[str, Any]:
    """One condition: its fact, the comparisons that fit, the value."""
    fact = row.fact
    return {
        "index": index,
        "fact": fact.name,
        "label": fact.named(),
        "unit": words.unit_of(fact),
        "ops": [(op.value, _(words.op_name(fact, op))) for op in OPS[fact.kind]],
        "op": row.op,
        "value": row.value,
        "figure": fact.is_figure,
        "date": fact.kind is FactKind.DATE,
        "choices": [(value, word, value in row.chosen) for value, word in fact.words().items()],
    }


def instant(typed: str, zone: str) -> datetime | None:
    """A moment typed as 2026-12-01T08:00 in the reader's zone; none where nothing was typed. Raises NotADate."""
    if not typed:
        return None
    try:
        return datetime.strptime(typed, "%Y-%m-%dT%H:%M").replace(tzinfo=ZoneInfo(zone))
    except ValueError:
        raise NotADate(field="live_from", typed=typed) from None


# --- the trial --------------------------------------------------------------------------------------------------------

SPANS = (30, 90, 365)


def trial_context(actor: Actor, point: ApprovalPoint, days: int, since: datetime, found: Trial) -> dict[str, Any]:
    """What `rules/trial.html` shows: the finding in one sentence first."""
    finding = i18n.ngettext(
        "Of {total} request since {since} this draft would have approved {approved}, refused {refused} and asked"
        " people about {asked}. It decides {different} differently from what people did.",
        "Of {total} requests since {since} this draft would have approved {approved}, refused {refused} and asked"
        " people about {asked}. It decides {different} differently from what people did.",
        found.total,
    ).format(
        total=i18n.number(found.total),
        since=i18n.day(since.astimezone(ZoneInfo(actor.time_zone)).date(), year=True),
        approved=i18n.number(found.would[OutcomeKind.APPROVE]),
        refused=i18n.number(found.would[OutcomeKind.REFUSE]),
        asked=i18n.number(found.would[OutcomeKind.APPROVERS]),
        different=i18n.number(found.different),
    )
    return {
        "point": point.value,
        "title": _(POINT_NAMES[point]),
        "finding": finding if found.total else "",
        "before_fields": before_fields(found.before_fields),
        "spans": [
            (_("{n} days").format(n=i18n.number(span)), f"/rules/{point}/trial?days={span}", None, span == days)
            for span in SPANS
        ],
        "fits": [(f"{_('Rule')} {no}", i18n.number(count)) for no, count in enumerate(found.fits, 1)]
        + [(_("No rule fits"), i18n.number(found.no_rule))],
        "different": found.different,
        "rows": [
            (
                f"/approvals/{each.case.id}",
                each.case.label,
                i18n.day(each.case.requested_at.astimezone(ZoneInfo(actor.time_zone)).date(), year=True),
                _(words.STATUS_NAMES[each.case.status]),
                _(words.OUTCOME_NAMES[each.would]),
                _("rule {n}").format(n=each.rule_no) if each.rule_no else _("No rule fits"),
            )
            for each in found.differences
        ],
    }


def before_fields(count: int) -> str:
    """That old requests know nothing of a field that came later; empty where none is that old."""
    if not count:
        return ""
    text = i18n.ngettext(
        "{n} request was asked before a field that this draft looks at was defined; for it the field counts as not"
        " known.",
        "{n} requests were asked before a field that this draft looks at was defined; for them the field counts as not"
        " known.",
        count,
    )
    return text.format(n=i18n.number(count))
