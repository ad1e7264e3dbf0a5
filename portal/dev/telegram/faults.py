"""Failures on demand: the next calls of a method, for a chat, go wrong in a chosen way."""

import asyncio
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from portal.dev.telegram.refusals import Refused, forbidden, too_many


class Cut(Exception):
    """The connection ends without an answer."""


class Fault(BaseModel):
    """What goes wrong, for whom and how often."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["too_many", "blocked", "error", "hang", "cut"]
    method: str = "*"
    chat: int | None = None
    count: int = Field(1, ge=1)
    seconds: float = Field(1, gt=0)  # of retry_after, or of the wall's time that a call hangs
    after: bool = False  # only once the call has had its effect: the answer is lost

    def fits(self, method: str, chat: int | None) -> bool:
        return self.method.lower() in {"*", method.lower()} and self.chat in {None, chat}


@dataclass
class Chosen:
    """The fault of one call, if any, at its two moments."""

    fault: Fault | None

    async def before(self) -> None:
        if self.fault is not None and not self.fault.after:
            await _strike(self.fault)

    async def after(self) -> None:
        if self.fault is not None and self.fault.after:
            await _strike(self.fault)


class Faults:
    """Those that are still to come, oldest first."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def choose(self, method: str, chat: int | None) -> Chosen:
        fault = next((fault for fault in self.waiting if fault.fits(method, chat)), None)
        if fault is not None:
            fault.count -= 1
            if fault.count == 0:
                self.waiting.remove(fault)
        return Chosen(fault)


async def _strike(fault: Fault) -> None:
    match fault.kind:
        case "too_many":
            raise too_many(int(fault.seconds))
        case "blocked":
            raise forbidden("bot was blocked by the user")
        case "error":
            raise Refused(500, "Internal Server Error")
        case "hang":
            await asyncio.sleep(fault.seconds)
        case "cut":
            raise Cut
