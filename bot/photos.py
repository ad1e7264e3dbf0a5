"""Photos sent into a step that waits for them. They are fetched and drawn anew outside of any transaction."""

from aiogram import Bot, F, Router
from aiogram.filters import StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.types import Message

from bot.answers import Answers
from bot.steps import Steps, add_photo
from bot.talk import Talk
from portal.core import i18n
from portal.core.actor import Actor

router = Router(name="photos")


@router.message(StateFilter(Steps.photographing, Steps.describing), F.photo | F.document, flags={"transaction": False})
async def photo(message: Message, bot: Bot, talk: Talk, actor: Actor, state: FSMContext) -> Answers:
    """Keep it beside the form; the buttons of the step stay where they are."""
    count = await add_photo(state, actor, bot, message)
    said = i18n.ngettext(
        "{n} photo is added. Send more, or finish with a button above.",
        "{n} photos are added. Send more, or finish with a button above.",
        count,
    )
    return [talk.say(said.format(n=count))]
