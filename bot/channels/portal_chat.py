"""The portal's own chat window: rows of our own database, nothing leaves the house."""

from aiogram import Bot

from bot.channels.sending import ChatChannel
from bot.keyboards import LONGEST, MOST_BUTTONS
from bot.portal_session import TOKEN, PortalChatSession
from portal.accounts.model_chats import ChatBot
from portal.notices.channels import Abilities


def portal_bot() -> Bot:
    """The bot of the window."""
    return Bot(TOKEN, session=PortalChatSession())


class PortalChannel(ChatChannel):
    """Always there."""

    bot_name = ChatBot.PORTAL

    @property
    def abilities(self) -> Abilities:
        return Abilities(
            buttons=True,
            edit=True,
            media_in=True,
            text_in=True,
            max_len=LONGEST,
            max_buttons=MOST_BUTTONS,
            outside=False,
        )
