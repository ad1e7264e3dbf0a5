"""A press of a button: taken once by whoever may, then done by the function that its verb is registered for."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from aiogram import Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.answers import Answer, Answers, Current
from bot.keyboards import ActionButton
from bot.talk import Talk
from portal.core.actor import Actor
from portal.core.errors import Conflict
from portal.core.i18n import N_, _
from portal.notices.actions import AlreadyTaken, Verb, finish_action, make_action, take_action
from portal.notices.cards import Button, Card, Style
from portal.notices.model import Action

router = Router(name="presses")


class NumbersOnly(Conflict):
    code = "numbers-only"
    text = N_("This workspace sends no figures through this chat. Open the page to see them and to answer there.")


class UnknownButton(Conflict):
    code = "unknown-button"
    text = N_("This button is of an older kind. Send /today for the current state.")


@dataclass(slots=True)
class Press:
    """One press while its command runs."""

    session: AsyncSession
    actor: Actor
    action: Action
    talk: Talk
    state: FSMContext

    @property
    def object(self) -> tuple[str, UUID]:
        return self.action.object_kind, self.action.object_id

    async def done(self, result: str, contract_id: UUID | None = None) -> None:
        """The command is done: a second press shows this sentence, and the log keeps it."""
        await finish_action(self.session, self.actor, self.action, result, self.talk.bot.value, contract_id)

    async def button(self, label: str, verb: Verb, data: dict[str, Any] | None = None, style: Style = "") -> Button:
        """A further button about the same object, in the version that was shown."""
        kind, object_id = self.object
        action = await make_action(self.session, self.actor, verb, kind, object_id, self.action.object_version, data)
        await self.session.flush()
        return Button(label, action.id, style=style)

    def current(self) -> Current:
        """The message with the button shows the object as it stands after this press."""
        return Current(*self.object)

    def ask(self, question: Card) -> Answer:
        """The message becomes the next question."""
        return self.talk.card(question, of=None, edit=True)


# What may be pressed where a workspace sends numbers only: nobody decides on what is not shown.
TELLS_NOTHING = frozenset({Verb.SHOW, Verb.TODAY, Verb.SWITCH, Verb.LANGUAGE, Verb.SETTING})
Deed = Callable[[Press], Awaitable[Answers]]
_deeds: dict[Verb, Deed] = {}


def on(verb: Verb) -> Callable[[Deed], Deed]:
    """Register what a verb's buttons do."""

    def register(deed: Deed) -> Deed:
        _deeds[verb] = deed
        return deed

    return register


@router.callback_query(ActionButton())
async def pressed(
    query: CallbackQuery, action_id: UUID, talk: Talk, state: FSMContext, session: AsyncSession | None = None
) -> Answers:
    """Authorised now, whatever the message was and wherever it went meanwhile."""
    if talk.actor is None or session is None:
        return [talk.alert(nobody(talk))]
    try:
        action = await take_action(session, talk.actor, action_id, in_group=talk.is_group)
    except AlreadyTaken as error:
        raise (NumbersOnly() if talk.numbers_only else error) from None
    if talk.numbers_only and Verb(action.verb) not in TELLS_NOTHING:
        raise NumbersOnly
    await state.set_state(None)  # another step was chosen than the one that waited for words
    return await _deeds[Verb(action.verb)](Press(session, talk.actor, action, talk, state))


@router.callback_query()
async def foreign(query: CallbackQuery, talk: Talk) -> Answers:
    """Data that we did not make."""
    raise UnknownButton


UNLINKED = N_("This chat is not linked to anybody. Sign in to the portal and open My account > Chat for a link.")
UNKNOWN_HERE = N_("You are not linked to anybody. Sign in to the portal and open My account > Chat for a link.")
NOTHING_BOUND = N_(
    "Nothing of your company may be spoken of in this group yet. An administrator brings a contract in with its "
    "number: /bind FC-2026-014"
)


def nobody(talk: Talk) -> str:
    """Why this place speaks for nobody: no link, or a group into which the writer's company brought nothing."""
    if not talk.is_group:
        return _(UNLINKED)
    linked = talk.known is not None and talk.known.actor is not None
    return _(NOTHING_BOUND if linked else UNKNOWN_HERE)
