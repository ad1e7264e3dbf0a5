"""What a handler answers with: methods that are sent after the commit, kept beside the effect until they have left."""

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from aiogram.methods import AnswerCallbackQuery, EditMessageText, SendMessage, TelegramMethod

METHODS: dict[str, type[TelegramMethod[Any]]] = {
    kind.__name__: kind for kind in (AnswerCallbackQuery, EditMessageText, SendMessage)
}


@dataclass(frozen=True, slots=True)
class Shown:
    """Which object a message shows, so that it is edited when the object moves on by any other way."""

    object_kind: str
    object_id: UUID
    purpose: str
    rendering: str  # digest of what it shows


@dataclass(frozen=True, slots=True)
class Answer:
    """One method to send. shown: the message that comes of it is the object's card in this chat."""

    method: TelegramMethod[Any]
    shown: Shown | None = None


@dataclass(frozen=True, slots=True)
class Current:
    """The pressed message is to show its object as it stands after the commit; what was just done is history then."""

    object_kind: str
    object_id: UUID
    title: str = ""  # in place of the card's own


Answers = list[Answer | Current]


def packed(answers: Answers) -> dict[str, Any]:
    """As it is stored with the effect."""
    return {"answers": [_packed(answer) for answer in answers]}


def _packed(answer: Answer | Current) -> dict[str, Any]:
    if isinstance(answer, Current):
        return {"name": "Current", "data": asdict(answer)}
    return {
        "name": type(answer.method).__name__,
        "data": answer.method.model_dump(mode="json", exclude_unset=True),
        "shown": asdict(answer.shown) if answer.shown else None,
    }


def unpacked(stored: dict[str, Any]) -> Answers:
    """The answers of an update whose effect is there already."""
    return [_unpacked(entry) for entry in stored.get("answers", [])]


def _unpacked(entry: dict[str, Any]) -> Answer | Current:
    if entry["name"] == "Current":
        data = entry["data"]
        return Current(data["object_kind"], UUID(data["object_id"]), data["title"])
    shown = entry["shown"]
    if shown is not None:
        shown = Shown(**(shown | {"object_id": UUID(shown["object_id"])}))
    return Answer(METHODS[entry["name"]].model_validate(entry["data"]), shown)
