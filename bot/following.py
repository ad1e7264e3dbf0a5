"""The message after a question: the answer in words to one about a sentence, for a quarter of an hour; and the ways out
of every question."""

from datetime import datetime

from aiogram import F, Router
from aiogram.dispatcher.event.bases import SkipHandler
from aiogram.filters import StateFilter, or_f
from aiogram.fsm.context import FSMContext
from aiogram.types import Message
from sqlmodel.ext.asyncio.session import AsyncSession

from bot import finding, promises, sentences
from bot.answers import Answers
from bot.finding import WELCOME
from bot.looking import look
from bot.reading import answering, asking
from bot.steps import Steps
from bot.talk import Talk
from portal.core import clock
from portal.core.actor import Actor
from portal.core.i18n import N_, _

router = Router(name="following")
NO_ANSWER = N_(
    "I cannot read the answer to my question in this. Answer it, press a button, or write the whole sentence again."
)
STILL_OPEN = N_("You are welcome. My question is still open: answer it or press a button.")


TYPING = StateFilter(Steps.counting, Steps.typing_day, Steps.countering, Steps.wishing)
OPEN = or_f(TYPING, StateFilter(Steps.describing, Steps.photographing))


@router.message(OPEN, F.text.func(answering.gives_up), flags={"transaction": False})
async def given_up(message: Message, talk: Talk, state: FSMContext) -> Answers:
    """Never mind: whatever waits for words or photos waits no more."""
    await state.clear()
    return [talk.say(_("Nothing was sent."))]


@router.message(TYPING, F.text.func(asking.something_else))
async def elsewhere(message: Message, session: AsyncSession, actor: Actor, talk: Talk, state: FSMContext) -> Answers:
    """Another question than the one that is open takes its place."""
    await state.clear()
    return await finding.heard(session, actor, talk, state, message.text or "")


@router.message(Steps.asked, F.text.startswith("/"), flags={"transaction": False})
async def command(message: Message, state: FSMContext) -> Answers:
    """A command ends the question; whoever hears commands does the rest."""
    await state.clear()
    raise SkipHandler


@router.message(Steps.asked, F.text, ~F.text.startswith("/"))
async def answered(message: Message, session: AsyncSession, actor: Actor, talk: Talk, state: FSMContext) -> Answers:
    """The answer, a new sentence, or something else that can be found; else the question is still open."""
    form, text = await state.get_data(), message.text or ""
    if asking.thanks(text):
        return [talk.say(_(WELCOME) if talk.numbers_only else _(STILL_OPEN))]
    if talk.numbers_only or not answering.waits(datetime.fromisoformat(form["at"]), clock.now()):
        await state.clear()
        return await finding.heard(session, actor, talk, state, text)
    if answering.gives_up(text):
        await state.clear()
        return [talk.say(_("Nothing was sent."))]
    if (promised := await promises.answer(session, actor, talk, text)) is not None:
        await state.clear()
        return promised
    known = sentences.settled_of(form["settled"])
    led = await sentences.follow(session, actor, talk, state, text, form["text"], known)
    if led is not None:
        return led
    return await _else(session, actor, talk, state, text)


async def _else(session: AsyncSession, actor: Actor, talk: Talk, state: FSMContext, text: str) -> Answers:
    """Something else was asked meanwhile, which ends the question; or nothing that can be read."""
    wish = asking.asked(text)
    found = await finding.wanted(session, actor, talk, wish) if wish else await look(session, actor, talk, text)
    if found is None:
        return [talk.say(_(NO_ANSWER))]
    await state.clear()
    return found
