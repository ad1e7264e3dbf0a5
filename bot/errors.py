"""Every refusal as an answer in the chat, mapped once; what is wrong on our side is said and logged.

The command's transaction is rolled back by now. A refused press is logged, and its message brought up to date, in a
transaction of its own.
"""

import logging
from typing import Any

from aiogram import Router
from aiogram.types import ErrorEvent

from bot.answers import Answers, Current
from bot.keyboards import parse
from bot.middlewares import language_of
from bot.talk import ALERT_LENGTH, Talk
from portal.core import db
from portal.core.db import unit_of_work
from portal.core.errors import Conflict, PortalError
from portal.core.i18n import N_, _, speaking
from portal.notices.actions import refused_press

logger = logging.getLogger(__name__)
router = Router(name="errors")
OUR_FAULT = N_("Something went wrong on our side. Nothing was changed; try again in a minute.")


@router.errors()
async def refused(event: ErrorEvent, **data: Any) -> Answers:
    """The five kinds of refusals, each as its sentence, with all that is wrong with one message. Outages are raised
    again: the update is fed once more later."""
    error, talk = event.exception, data.get("talk")
    if talk is None or db.is_away(error):
        raise error
    with speaking(language_of(talk, data["event_from_user"])):
        if not isinstance(error, PortalError):
            logger.error("an update failed", exc_info=error, extra={"update_id": talk.update_id})
            return [talk.alert(_(OUR_FAULT))]
        sentence = error.in_full()
        answers: Answers = _told(talk, sentence)
        action_id = parse(event.update.callback_query.data) if event.update.callback_query else None
        if action_id is not None and talk.actor is not None:
            answers = [*await _current(talk, action_id, sentence, stale=isinstance(error, Conflict)), *answers]
        return answers


def _told(talk: Talk, sentence: str) -> Answers:
    """As a window over the chat; what does not fit there as a message, but in a group only to whoever pressed."""
    if talk.query_id is None or talk.is_group or len(sentence) <= ALERT_LENGTH:
        return [talk.alert(sentence)]
    return [talk.say(sentence, figures=True), talk.note()]


async def _current(talk: Talk, action_id: Any, sentence: str, *, stale: bool) -> Answers:
    """Log the refused press. stale: the reader decided on what is not in force, and is shown what is."""
    assert talk.actor is not None
    async with unit_of_work(talk.actor) as session:
        action = await refused_press(session, talk.actor, action_id, talk.bot.value, sentence)
        if action is None or not stale:
            return []
        return [Current(action.object_kind, action.object_id)]
