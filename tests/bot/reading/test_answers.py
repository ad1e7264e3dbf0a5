"""Answers in words to a question about a sentence, commands in other words, and what somebody looks for: three tables.

What is not read for certain is not read: in every table there are rows that must stay unanswered.
"""

from datetime import UTC, datetime, timedelta

import pytest

from bot.phrases import asks_where, sought
from bot.reading import answering, asking
from bot.reading.asking import asked
from bot.reading.model import Question, Settled
from bot.reading.reading import read
from bot.sentences import settled_of, stored
from tests.bot.reading.table import expected, rows, said, world


def outcome(row: dict[str, str]) -> str:
    """What the last of the answers leads to; none: it is no answer."""
    seen, known = world(row["world"], row["today"]), Settled()
    result = read(row["sentence"], seen, known)
    for text in row["answers"].split(" // "):
        assert isinstance(result, Question), (row, result)
        given = answering.answer(text, result, seen, known, row["sentence"])
        if given is None:
            return "none"
        if isinstance(given, Settled):
            known = settled_of(stored(given))  # as the step keeps it
            result = read(row["sentence"], seen, known)
        else:
            result = given
    return said(result)


def test_every_answer_of_the_table_is_read_as_it_is_meant() -> None:
    found = [(row["sentence"], row["answers"], expected(row), outcome(row)) for row in rows("answers.csv")]

    assert [entry for entry in found if entry[2] != entry[3]] == []
    assert len(found) >= 90


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("move A120 from Aug 15 to Aug 20", True),
        ("取消8月22日的A100", True),
        ("A100 -> Aug 20", True),
        ("A199 改到月底", True),
        ("don't change A100", True),
        ("不要改 A100", True),
        ("Aug 20", False),
        ("改到8月20日", False),
        ("make it 800", False),
        ("A120", False),
        ("where is A120?", False),
    ],
)
def test_a_new_sentence_is_told_from_an_answer(text: str, whole: bool) -> None:
    assert answering.is_whole(text, world("main", "2026-07-20")) is whole


@pytest.mark.parametrize("text", ["never mind", "Forget it.", "算了", "取消", "cancel"])
def test_whoever_wants_no_answer_any_more_says_so(text: str) -> None:
    assert answering.gives_up(text)
    assert not answering.gives_up(f"{text} A100")


def test_a_question_waits_for_a_quarter_of_an_hour() -> None:
    now = datetime(2026, 11, 28, 12, tzinfo=UTC)

    assert [answering.waits(now - timedelta(minutes=n), now) for n in (0, 14, 15, 16, 24 * 60)] == [
        True, True, True, False, False,
    ]  # fmt: skip


def test_commands_in_other_words() -> None:
    found = []
    for row in rows("questions.csv"):
        wish = asked(row["said"])
        text = " ".join(filter(None, (wish.wish.value, wish.contract))) if wish else "no"
        found.append((row["said"], row["expected"], text))

    assert [entry for entry in found if entry[1] != entry[2]] == []


def test_what_somebody_looks_for() -> None:
    """?: an order is asked for, and none is named."""
    found = []
    for row in rows("wheres.csv"):
        words = " ".join(sought(row["said"])) or ("?" if asks_where(row["said"]) else "")
        found.append((row["said"], row["words"], words))

    assert [entry for entry in found if entry[1] != entry[2]] == []


@pytest.mark.parametrize(
    "text", ["Thanks", "thank you!", "ok, thanks a lot", "Thx", "谢谢", "谢谢您！", "好的，谢谢", "辛苦了", "多谢啦～"]
)
def test_thanks_are_known_as_such(text: str) -> None:
    assert asking.thanks(text)


@pytest.mark.parametrize("text", ["thanks, 800 pcs", "谢谢，改成800件", "no thanks", "ok", "好的", "thanksgiving"])
def test_what_says_more_than_thanks_is_no_thanks(text: str) -> None:
    assert not asking.thanks(text)
