"""One post to a bot's webhook. The bot may answer it with a call, whose result is told to nobody."""

import json
from typing import Any

import aiohttp

from portal.dev.telegram import dispatch
from portal.dev.telegram.faults import Cut
from portal.dev.telegram.updates import Hook
from portal.dev.telegram.world import Bot, World


class Poster:
    """The way from one bot's updates to its webhook."""

    def __init__(self, world: World, bot: Bot, session: aiohttp.ClientSession) -> None:
        self.world = world
        self.bot = bot
        self.session = session

    async def __call__(self, hook: Hook, body: dict[str, Any], seconds: float) -> str | None:
        headers = {"X-Telegram-Bot-Api-Secret-Token": hook.secret} if hook.secret else {}
        timeout = aiohttp.ClientTimeout(total=seconds)
        try:
            async with self.session.post(hook.url, json=body, headers=headers, timeout=timeout) as response:
                if not response.ok:
                    return f"Wrong response from the webhook: {response.status} {response.reason}"
                text = await response.text()
        except TimeoutError:
            return "Read timeout expired"
        except aiohttp.ClientConnectorError:
            return "Connection refused"
        except aiohttp.ClientError:
            return "Connection closed"
        await self._answered(text)
        return None

    async def _answered(self, text: str) -> None:
        try:
            call = json.loads(text)
        except ValueError:
            return
        if isinstance(call, dict) and "method" in call:
            method = str(call.pop("method"))
            try:
                await dispatch.answer(self.world, self.bot, method, call, {})
            except Cut:
                return
