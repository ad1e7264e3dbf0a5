"""Both languages say the same: every marked text has its Chinese entry, with the same placeholders."""

import ast
import string
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

import portal
from portal.changes.model import ChangeReason, ChangeStatus, ErpState, PartKind
from portal.changes.rules import CHANGE_STATES
from portal.contracts.model import Cadence, ContractKind, ContractStatus, DayUnit, PriceTier, RevisionStatus
from portal.contracts.rules_life import CONTRACT_STATES
from portal.contracts.rules_prices import PriceReason
from portal.core.i18n import LOCALE_DIR, NBSP, Language, _, catalogue, day, number, sentences, signed, speaking, week
from portal.core.quantities import UNITS
from portal.forecasts.model import RequestStatus
from portal.forecasts.rules import REQUEST_STATES
from portal.schedules.model import (
    CloseReason,
    ConfirmationStatus,
    Level,
    LineStatus,
    ReleaseKind,
    ReleaseStatus,
    SupplyState,
    Trigger,
    Zone,
)
from portal.schedules.model_releases import PreparedStatus
from portal.schedules.model_reports import ReportKind, ReportReason, ReportStatus, Urgency
from portal.schedules.rules import LINE_STATES, OutsideTolerance, RejectReason
from portal.schedules.rules_answers import ANSWER_STATES, Deviation
from portal.schedules.rules_releases import PREPARED_STATES, RELEASE_STATES
from portal.schedules.rules_reports import REPORT_STATES
from portal.shipments.model import Problem, ShipmentStatus
from portal.shipments.rules import SHIPMENT_STATES
from portal.shipments.rules_cumulating import ENTRY_STATES

PACKAGE = Path(portal.__file__).parent
DOMAINS = sorted(path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists())
ENUMS = [
    ContractKind, ContractStatus, Cadence, DayUnit, PriceReason, PriceTier, RevisionStatus,
    LineStatus, CloseReason, ConfirmationStatus, Deviation, Zone, Level, SupplyState, RejectReason,
    ChangeStatus, ChangeReason, PartKind, ErpState, ReleaseKind, ReleaseStatus, PreparedStatus, Trigger,
    ShipmentStatus, Problem, ReportKind, ReportReason, ReportStatus, Urgency, RequestStatus,
]  # fmt: skip
STATES = (
    *(ANSWER_STATES, CHANGE_STATES, CONTRACT_STATES, ENTRY_STATES, LINE_STATES, PREPARED_STATES, RELEASE_STATES),
    *(REPORT_STATES, REQUEST_STATES, SHIPMENT_STATES),
)
ACTIONS = sorted({move.action for table in STATES for move in table})


def marked_texts(domain: str) -> set[str]:
    """All constant texts given to N_(), _() or ngettext() in a domain's Python files; of a counted text the plural."""
    found = set()
    for path in (PACKAGE / domain).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="N_" | "_"), args=[ast.Constant(value=str(text)), *_]):
                    found.add(text)
                case ast.Call(func=ast.Name(id="ngettext"), args=[_, ast.Constant(value=str(text)), *_]):
                    found.add(text)
    return found


def marked_texts_beside(folder: str) -> set[str]:
    """The same of a package beside the portal's own."""
    return marked_texts(f"../{folder}")


@pytest.mark.parametrize("folder", ["bot", "jobs"])
def test_every_text_of_a_package_beside_is_said_in_chinese(folder: str) -> None:
    assert marked_texts_beside(folder) - set(catalogue(Language.ZH)) == set()


def template_texts() -> set[str]:
    """All texts that the page templates give to _() or ngettext(); of a counted text the plural."""
    found = set[str | None]()
    for path in PACKAGE.rglob("*.html"):
        with path.open("rb") as source:
            for _, function, message, _ in babel_extract(source, ("_", "ngettext"), (), {}):
                texts = (message,) if isinstance(message, str) else message or ()
                found.update(texts[1:2] if function == "ngettext" else texts[:1])
    return {text for text in found if text}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_marked_text_is_said_in_chinese(domain: str) -> None:
    assert marked_texts(domain) - set(catalogue(Language.ZH)) == set()


def test_every_text_of_a_page_is_said_in_chinese() -> None:
    assert template_texts() - set(catalogue(Language.ZH)) == set()


@pytest.mark.parametrize("enum", ENUMS)
def test_every_value_of_an_enum_has_a_chinese_word(enum: type[Zone]) -> None:
    assert {member.value for member in enum} - set(catalogue(Language.ZH)) == set()


def test_every_action_and_unit_has_a_chinese_word() -> None:
    words = {*ACTIONS, *(name for _, name in UNITS.values())}
    assert words - set(catalogue(Language.ZH)) == set()


def test_no_text_has_two_translations_in_two_domains() -> None:
    """The catalogues are merged, so a second translation would silently win."""
    said = defaultdict(set)
    for path in (LOCALE_DIR / "zh_CN").glob("*.po"):
        with path.open("rb") as source:
            for message in read_po(source):
                if message.id:
                    said[str(message.id)].add(str(message.string))
    assert {text: ways for text, ways in said.items() if len(ways) > 1} == {}


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_translation_keeps_every_placeholder(domain: str) -> None:
    """A page may give the Chinese text more than the English one uses; a refusal that lacked a figure would fail."""
    chinese = catalogue(Language.ZH)
    marked = marked_texts(domain) & set(chinese)
    assert {en for en in marked if domain != "web" and placeholders(en) != placeholders(chinese[en])} == set()


def test_a_refusal_speaks_the_readers_language() -> None:
    refusal = OutsideTolerance(quantity=Decimal(1300), low=Decimal(950), high=Decimal(1200), unit="pcs")
    assert str(refusal) == (
        "1,300 is more than agreed: 950 to 1,200 pcs are within tolerance. Lower it or ask for a change."
    )
    with speaking(Language.ZH):
        assert str(refusal) == "1,300 超出约定：容差范围为 950 至 1,200 件。请调低数量或提出变更。"


def test_the_month_is_a_word_and_minus_is_a_minus() -> None:
    monday = date(2026, 11, 23)
    assert (day(monday), day(monday, year=True), week(monday)) == (
        f"23{NBSP}Nov", f"23{NBSP}Nov{NBSP}2026", f"Wk{NBSP}48"
    )  # fmt: skip
    with speaking(Language.ZH):
        assert (day(monday), day(monday, year=True), week(monday)) == ("11月23日", "2026年11月23日", "48 周")
    assert (number(Decimal("-200.50")), signed(Decimal(160)), signed(0)) == ("−200.5", "+160", "0")


def test_names_stand_in_chinese_sentences_with_a_space_only_where_scripts_meet() -> None:
    with speaking(Language.ZH):
        sentence = _("Make a new link for {name}")
        assert sentence.format(name="Mia Chen") == "为 Mia Chen 生成新链接"
        assert sentence.format(name="王敏") == "为王敏生成新链接"
        assert _("All {n} in the list").format(n=12) == "在列表中查看全部 12 笔"


def test_a_status_without_words_of_its_own_reads_as_words() -> None:
    assert _("partly_confirmed") == "partly confirmed"
    assert _("A_100") == "A_100"
    with speaking(Language.ZH):
        assert _("partly_confirmed") == "部分确认"


def test_no_space_stands_between_chinese_sentences() -> None:
    assert sentences("Nothing is changed.", "", "Go on.") == "Nothing is changed. Go on."
    with speaking(Language.ZH):
        assert sentences("不会改动。", "请继续。") == "不会改动。请继续。"
