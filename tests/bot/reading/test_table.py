"""Every sentence of the table, and hundreds made of templates: read right, or asked, and never read wrong."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from bot.reading.model import Delivery, Kind, NotRead, Open, Question, Reading, Settled, World
from bot.reading.reading import read
from tests.bot.reading.table import expected, rows, said, world

SENTENCES = rows("sentences.csv")


def answers() -> list[tuple[str, str, str]]:
    return [
        (row["sentence"], expected(row), said(read(row["sentence"], world(row["world"], row["today"]))))
        for row in SENTENCES
    ]


def test_the_table_is_read_right_in_19_of_20_sentences_and_never_wrong() -> None:
    found = answers()
    missed = [entry for entry in found if entry[1] != entry[2]]
    wrong = [entry for entry in missed if not entry[2].startswith(("ask", "no"))]

    assert len(found) >= 200
    assert sum(any(sign > "\u4e00" for sign in entry[0]) for entry in found) >= 100
    assert wrong == []
    assert len(missed) * 20 <= len(found), missed


# --- made of templates ------------------------------------------------------------------------------------------------

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS: tuple[Callable[[date], str], ...] = (  # a day as it is written, in either language
    lambda day: f"{day.month}月{day.day}日",
    lambda day: f"{day.year}年{day.month}月{day.day}号",
    lambda day: f"{day.month}/{day.day}" if day.day > 12 else f"{day.month}月{day.day}号",
    lambda day: f"{day:%Y-%m-%d}",
    lambda day: f"{MONTHS[day.month - 1]} {day.day}",
    lambda day: f"{day.day} {MONTHS[day.month - 1]}",
    lambda day: f"{MONTHS[day.month - 1]} {day.day}, {day.year}",
)
BOTH = (
    "把{old}的{part}改到{new}，{quantity}件", "{part} {old}改到{new}，数量改为{quantity}",
    "{contract}的{part}由{old}调到{new}改成{quantity}",
    "move {part} from {old} to {new}, {quantity} pcs", "please shift {part} on {old} to {new} and make it {quantity}",
)  # fmt: skip
DAY = (
    "{old}的{part}挪到{new}",
    "请将{part} {old} 的交期改到 {new}",
    "move {part} of {old} to {new}",
    "{part} {old} -> {new}",
)
QUANTITY = (
    "{old}的{part}改成{quantity}件",
    "{part} {old}数量调整为{quantity}",
    "change {part} on {old} to {quantity} pieces",
)
MORE = (
    "{old}的{part}加{more}件",
    "{part} {old}多要{more}件",
    "increase {part} on {old} by {more}",
    "{more} more {part} on {old}",
)
CANCEL = ("取消{old}的{part}", "{part} {old} 不要了", "cancel {part} on {old}")
parts = st.from_regex(r"[A-Z]{1,3}-?[0-9]{2,4}(-[A-Z])?", fullmatch=True)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Deliveries of up to four parts on days of their own, seen on any day of two years."""
    today = draw(st.dates(date(2026, 1, 1), date(2027, 12, 31)))
    names = draw(st.lists(parts, min_size=1, max_size=4, unique=True))
    made = []
    for name in names:
        for no in draw(st.lists(st.integers(1, 100), min_size=1, max_size=3, unique=True)):
            quantity = Decimal(draw(st.integers(2, 99)) * 10)
            made.append(Delivery(f"{name}+{no}", "FC-2026-014", name, today + timedelta(no), quantity, "H87"))
    return World(tuple(made), today)


@seed(20261128)
@settings(max_examples=120, deadline=None, database=None)
@given(st.data(), worlds())
def test_sentences_of_templates_are_read_as_they_were_made(data: st.DataObject, world: World) -> None:
    row = data.draw(st.sampled_from(world.deliveries))
    new = row.due + timedelta(data.draw(st.integers(1, 60)))
    quantity, more = row.quantity + data.draw(st.integers(1, 5000)), Decimal(data.draw(st.integers(1, 5000)))
    shapes = {"both": BOTH, "day": DAY, "quantity": QUANTITY, "more": MORE, "cancel": CANCEL}
    kind = data.draw(st.sampled_from(sorted(shapes)))
    template = data.draw(st.sampled_from(shapes[kind]))
    chosen = [day for day in DAYS if ("月" in day(new)) == any(sign > "\u4e00" for sign in template) or day is DAYS[3]]
    written = data.draw(st.sampled_from(chosen))
    sentence = template.format(
        part=row.part, old=written(row.due), new=written(new), quantity=quantity, more=more, contract=row.contract
    )

    result = read(sentence, world)

    day = new if kind in {"both", "day"} else None
    wanted = {"both": quantity, "quantity": quantity, "more": row.quantity + more}.get(kind)
    assert isinstance(result, Reading), (sentence, result)
    assert (result.kind, result.delivery) == (Kind.CANCEL if kind == "cancel" else Kind.CHANGE, row), sentence
    assert (result.day, result.quantity) == (day, wanted), sentence


JOIN = (
    "把{one}和{other}的{part}合并到{one}",
    "join {part} of {one} and {other} on {one}",
    "merge {part} of {other} into {one}",
)


@seed(20261130)
@settings(max_examples=40, deadline=None, database=None)
@given(st.data(), worlds())
def test_joins_of_templates_are_read_as_they_were_made(data: st.DataObject, world: World) -> None:
    pairs = [(a, b) for a in world.deliveries for b in world.deliveries if a.part == b.part and a.due != b.due]
    if not pairs:
        return
    into, other = data.draw(st.sampled_from(pairs))
    template, written = data.draw(st.sampled_from(JOIN)), DAYS[3]
    sentence = template.format(part=into.part, one=written(into.due), other=written(other.due))

    result = read(sentence, world)

    assert isinstance(result, Reading), (sentence, result)
    assert (result.kind, result.delivery, result.others, result.day) == (Kind.JOIN, into, (other,), None), sentence


@seed(20261129)
@settings(max_examples=80, deadline=None, database=None)
@given(
    worlds(),
    st.text(
        alphabet="把改到成加减取消拆分批的月日号周件箱月底从A1O0-/., 0123456789从8五十百 tofrmvecangl", max_size=40
    ),
)
def test_noise_is_never_an_accident(world: World, text: str) -> None:
    """Whatever is typed, there is an answer, and what is read lies ahead, is whole and differs from what is."""
    result = read(text, world)

    if isinstance(result, Reading) and result.kind is Kind.JOIN:
        assert result.others
        assert result.day is None or result.day >= world.today
    if isinstance(result, Reading) and result.kind is Kind.CHANGE:
        assert result.delivery is not None
        assert result.day is None or (result.day >= world.today and result.day != result.delivery.due)
        assert result.quantity is None or (result.quantity > 0 and result.quantity % 1 == 0)


# --- answers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sentence", "settled", "wanted"),
    [
        ("8月15日的A120改到20号", Settled(delivery="c2"), "change c2 2026-08-20 ="),
        ("8月15日的A100改到10号", Settled(day=date(2026, 9, 10)), "change a1 2026-09-10 ="),
        ("8月15日的A110改到20号", Settled(part="A100"), "change a1 2026-08-20 ="),
        ("8月18日的A100改到25号", Settled(delivery="a2"), "change a2 2026-08-25 ="),
        ("8月15日A100大概800件", Settled(quantity=Decimal(800)), "no"),
        ("8月15日A100大概改成800件", Settled(quantity=Decimal(800)), "change a1 = 800"),
        ("新增A120 9月9日 100件", Settled(contract="FC-2026-021"), "add FC-2026-021 A120 2026-09-09 100"),
        ("add 200 A100 on Aug 15", Settled(new=True), "add FC-2026-014 A100 2026-08-15 200"),
        ("add 200 A100 on Aug 15", Settled(new=False), "change a1 = 800"),
    ],
)
def test_an_answer_leads_to_the_reading(sentence: str, settled: Settled, wanted: str) -> None:
    assert said(read(sentence, world("main", "2026-07-20"), settled)) == wanted


def test_a_question_names_the_delivery_that_it_is_about() -> None:
    result = read("8月15日的A100改为2托", world("main", "2026-07-20"))

    assert isinstance(result, Question)
    assert (result.open, result.about and result.about.key) == (Open.UNIT, "a1")


def test_nothing_is_read_where_nothing_is_open() -> None:
    assert isinstance(read("你好", World((), date(2026, 7, 20))), NotRead)
    assert isinstance(read("把8月15日的A100改到20号", World((), date(2026, 7, 20))), Question)
