"""The table of sentences, and a result in the table's own words."""

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

from bot.reading.model import Delivery, Kind, NotRead, Question, Reading, Result, Why, World

HERE = Path(__file__).parent


def rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="|"))


def world(name: str, today: str) -> World:
    """The deliveries of one world."""
    found = [
        Delivery(
            key=row["key"],
            contract=row["contract"],
            part=row["part"],
            other=row["other"],
            description=row["description"],
            due=date.fromisoformat(row["due"]),
            quantity=Decimal(row["quantity"]),
            unit=row["unit"],
            pack=Decimal(row["pack"]) if row["pack"] else None,
        )
        for row in rows("deliveries.csv")
        if row["world"] == name
    ]
    return World(tuple(found), date.fromisoformat(today))


def said(result: Result) -> str:
    """As the table writes it; choices in the order of the alphabet."""
    match result:
        case NotRead():
            return "no" if result.why is Why.NOTHING else f"no {result.why}"
        case Question():
            choices = sorted(choice.key if isinstance(choice, Delivery) else str(choice) for choice in result.choices)
            return " ".join(["ask", result.open.value, *choices])
        case Reading():
            return " ".join([result.kind.value, *_words(result)])


def _words(reading: Reading) -> list[str]:
    day, quantity = str(reading.day or "="), "=" if reading.quantity is None else f"{reading.quantity.normalize():f}"
    match reading.kind:
        case Kind.ADD:
            return [reading.contract, reading.part, day, quantity]
        case Kind.PAUSE:
            return [reading.contract, reading.part, f"{reading.since}..{day}"]
    assert reading.delivery is not None
    if reading.kind is Kind.JOIN:
        return [reading.delivery.key, *sorted(each.key for each in reading.others), day]
    if reading.kind is Kind.SPLIT:
        return [reading.delivery.key, *(f"{on}:{value}" for on, value in reading.splits)]
    return [reading.delivery.key, *([day, quantity] if reading.kind is Kind.CHANGE else [])]


def expected(row: dict[str, str]) -> str:
    """The row's expectation, its choices in the order of the alphabet."""
    head, *rest = row["expected"].split()
    return " ".join([head, rest[0], *sorted(rest[1:])]) if head == "ask" else row["expected"]
