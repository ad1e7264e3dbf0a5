"""Stored updates are fed to the dispatcher, chat by chat in order; what a handler returned is sent after its commit.

Telegram's webhook, polling and the portal's window all come this way. A bot that is killed anywhere leaves a claim that
lapses: the effect's inbox row tells whether it was done, and the answers stored with it are sent again.
"""

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from typing import Any

import asyncpg
from aiogram import Bot, Dispatcher
from aiogram.dispatcher.event.bases import UNHANDLED
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.methods import AnswerCallbackQuery, EditMessageText, SendMessage
from aiogram.types import Message, Update
from pydantic import ValidationError
from redis.exceptions import ConnectionError as RedisAway
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisSlow

from bot.answers import Answer, Answers, Current
from bot.channels.sending import topic_is_gone
from bot.talk import Talk
from portal.accounts import service_chats, updates
from portal.accounts.model_chats import ChatBot
from portal.accounts.updates import Taken
from portal.core import db
from portal.core.db import unit_of_work
from portal.core.errors import NotFound
from portal.core.i18n import speaking
from portal.notices.compose import card_for
from portal.notices.service_noting import remember_card

logger = logging.getLogger(__name__)
AT_ONCE = 6  # chats in hand; fewer than database connections of one role
POLL_SECONDS = 1.0  # how long an update waits at most when no bell was heard
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 20.0  # seconds before the second try, doubled for each further one


class Feeder:
    """Takes updates until cancelled. Any number of processes may run one."""

    def __init__(self, dispatcher: Dispatcher, bots: dict[ChatBot, Bot]) -> None:
        self._dispatcher = dispatcher
        self._bots = bots
        self._busy: set[asyncio.Task[None]] = set()
        self.woken = asyncio.Event()
        self.fed = asyncio.Event()  # set for a moment whenever an update has ended, for those who watch

    async def run(self) -> None:
        try:
            while True:
                self.woken.clear()
                begun = 0
                with _outage("taking updates"):
                    begun = await self.round()
                if not begun:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(POLL_SECONDS):
                            await self.woken.wait()
        finally:
            for task in self._busy:
                task.cancel()
            if self._busy:
                await asyncio.wait(self._busy)

    async def round(self) -> int:
        """Claim as many updates as there is room for, and begin to feed them."""
        room = AT_ONCE - len(self._busy)
        if room <= 0:
            await asyncio.wait(self._busy, return_when=asyncio.FIRST_COMPLETED)
            return 1
        taken = await updates.claim(list(self._bots), room)
        for each in taken:
            task = asyncio.create_task(self._feed(each))
            self._busy.add(task)
            task.add_done_callback(self._ended)
        return len(taken)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._busy.discard(task)
        self.woken.set()  # the next update of its chat may be waiting
        self.fed.set()
        self.fed.clear()

    async def idle(self) -> None:
        """Feed everything that waits now, and what follows from it."""
        while await self.round() or self._busy:
            if self._busy:
                await asyncio.wait(self._busy)

    # --- one update ---------------------------------------------------------------------------------------------------

    async def _feed(self, taken: Taken) -> None:
        with _outage("noting an update"):
            try:
                await self._handle(taken)
                await updates.done(taken)
            except TelegramRetryAfter as error:
                await updates.postponed(taken, error.retry_after)
            except TelegramForbiddenError:
                await service_chats.blocked(taken.bot, taken.chat_id)
                await updates.done(taken)
            except Exception as error:
                if not _transient(error):
                    logger.exception("an update cannot be fed", extra={"update_id": taken.update_id})
                pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**taken.tries)
                await updates.later(taken, pause, f"{type(error).__name__}: {error}", outage=_outside(error))

    async def _handle(self, taken: Taken) -> None:
        bot, outcome = self._bots[taken.bot], dict[str, Any]()
        try:
            update = Update.model_validate(taken.raw, context={"bot": bot})
        except ValidationError:
            logger.warning("an update cannot be read", extra={"update_id": taken.update_id})
            return
        answers = await self._dispatcher.feed_update(bot, update, channel=taken.bot, outcome=outcome)
        if answers is UNHANDLED or answers is None:
            return
        await self._send(taken, bot, answers, outcome["talk"])

    async def _send(self, taken: Taken, bot: Bot, answers: Answers, talk: Talk) -> None:
        """In their order; those that left before this try are not sent again."""
        for no, answer in enumerate(answers, start=1):
            if no > taken.sent:
                ready = await rendered(talk, answer) if isinstance(answer, Current) else answer
                if ready is not None:
                    await send(taken, bot, ready, talk)
                await updates.noted(taken, no)


async def rendered(talk: Talk, current: Current) -> Answer | None:
    """The object's card as it is now, in place of the pressed message; none when it is not to be seen any more."""
    if talk.actor is None:
        return None
    try:
        async with unit_of_work(talk.actor) as session:
            card = await card_for(session, talk.actor, current.object_kind, current.object_id)
    except NotFound:
        return None
    if current.title:
        card = replace(card, title=current.title)
    with speaking(talk.actor.language):
        return talk.card(card, of=(current.object_kind, current.object_id), edit=True)


async def send(taken: Taken, bot: Bot, answer: Answer, talk: Talk) -> None:
    """One method. What shows an object is remembered, so that it is edited when the object moves on."""
    method, actor = answer.method, talk.actor
    try:
        result = await bot(method)
    except TelegramBadRequest as error:
        result = await _refused(bot, answer, error)
    if answer.shown is None or actor is None or actor.member_id is None:
        return
    if isinstance(result, Message):
        message_id = str(result.message_id)
    elif isinstance(method, EditMessageText):
        message_id = str(method.message_id)
    else:
        return
    shown = answer.shown
    async with unit_of_work(actor) as session:
        connection = await db.driver(session)
        about = shown.object_kind, shown.object_id, taken.bot.value, talk.chat.address, message_id
        await remember_card(connection, actor, *about, shown.purpose, shown.rendering)


async def _refused(bot: Bot, answer: Answer, error: TelegramBadRequest) -> Any:
    """What a service refuses is no failure of ours where the message is gone, too old, or shows the same already."""
    method, said = answer.method, str(error)
    if isinstance(method, AnswerCallbackQuery) or "not modified" in said:
        return None
    if isinstance(method, EditMessageText) and ("to edit not found" in said or "can't be edited" in said):
        again = method.model_dump(exclude_unset=True, exclude={"message_id", "inline_message_id"})
        return await bot(SendMessage.model_validate(again))
    if isinstance(method, SendMessage) and topic_is_gone(method.message_thread_id, error):
        again = method.model_dump(exclude_unset=True, exclude={"message_thread_id"})
        return await bot(SendMessage.model_validate(again))
    raise error


# --- bells ------------------------------------------------------------------------------------------------------------


async def listen(dsn: str, woken: asyncio.Event) -> None:
    """Hear that an update was stored, in any process. Ends when cancelled."""
    while True:
        with _outage("listening"):
            connection = await asyncpg.connect(db.asyncpg_dsn(dsn), statement_cache_size=0)
            try:
                lost = asyncio.Event()
                connection.add_termination_listener(lambda _, gone=lost: gone.set())
                await connection.add_listener(updates.CHANNEL, lambda *_: woken.set())
                await lost.wait()
            finally:
                await connection.close(timeout=2)
        await asyncio.sleep(1)


def _transient(error: BaseException) -> bool:
    away = (TelegramNetworkError, TelegramServerError, TelegramAPIError, RedisError, OSError)
    return isinstance(error, away) or db.is_away(error)


def _outside(error: BaseException) -> bool:
    """Whether something that we need does not answer now, so that the update itself is at no fault."""
    away = (TelegramNetworkError, TelegramServerError, RedisAway, RedisSlow, ConnectionError)
    return isinstance(error, away) or db.is_away(error)


class _outage:  # noqa: N801 - read as a word at its use
    """The database restarts under us now and then; what could not be done now is found again in the next round."""

    def __init__(self, doing: str) -> None:
        self._doing = doing

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if error is None or not isinstance(error, Exception) or not db.is_away(error):
            return False
        logger.warning("the database does not answer the bot", extra={"doing": self._doing})
        return True
