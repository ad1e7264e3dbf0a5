"""A commit to a forecast or a carry-over of agreed quantities, in plain words."""

from sqlmodel.ext.asyncio.session import AsyncSession

from bot import carrying, commits
from bot.answers import Answers
from bot.reading.model import Why
from bot.reading.promising import Deed, Promise, deed_of, promised
from bot.sentences import LONGEST, REFUSED
from bot.talk import Talk
from portal.changes.reads_carrying import ended_periods
from portal.core import clock, db
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.i18n import _
from portal.forecasts.reads_lines import sold_lines
from portal.notices.cards import Card
from portal.notices.wording import opening


async def answer(session: AsyncSession, actor: Actor, talk: Talk, text: str) -> Answers | None:
    """What a sentence leads to; None when it is about something else."""
    deed = deed_of(text) if len(text) <= LONGEST else None
    if deed is None:
        return None
    connection = await db.driver(session)
    today = local_today(clock.now(), actor.time_zone)
    if deed is Deed.COMMIT:
        lines = await sold_lines(connection, actor, text)
        said = promised(text, commits.as_deliveries(lines, actor), today)
        if isinstance(said, Promise):
            return await commits.answer(session, actor, talk, text, said, lines)
    else:
        ended = await ended_periods(connection, actor, today)
        said = promised(text, carrying.as_deliveries(ended, actor), today)
        if isinstance(said, Promise):
            return await carrying.answer(session, actor, talk, text, said, ended)
    return _refused(talk, deed, said) if said else None


def _refused(talk: Talk, deed: Deed, why: Why) -> Answers:
    """Why nothing is proposed, one example, and the page."""
    example = commits.EXAMPLE if deed is Deed.COMMIT else carrying.EXAMPLE
    page = opening("/forecasts" if deed is Deed.COMMIT else "/changes")
    return [talk.card(Card(_(REFUSED[why]), "", (_(example),), "", "", ((page,),), ""))]
