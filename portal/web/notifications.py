"""Profile > Notifications: how a person wants to be told; and the factory's rule for what leaves the house."""

from typing import Annotated, Any
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from pydantic import BeforeValidator, Field, field_validator

from portal.accounts.model import ChatDetail
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import driver, unit_of_work
from portal.core.errors import Conflict, Invalid
from portal.core.i18n import N_, _
from portal.notices import addresses, reads, rules, service_preferences
from portal.notices.model import KIND_NAMES, ON_OR_OFF, Choice, Kind, Preference, choice_name
from portal.notices.service_preferences import CHANNELS, SetChatDetail, SetPreferences
from portal.parameters import FromQuery, URLEncodedBody
from portal.web.forms import Form
from portal.web.pages import Page
from portal.web.people import one_or_many
from portal.web.shipment_forms import read as read_command
from portal.web.typed import Typed

DONE = {
    "saved": N_("Your choices are saved. They count from the next message on."),
    "detail": N_("The rule is saved. It counts from the next message on."),
}
CHANNEL_NAMES = {"telegram": N_("Telegram"), "email": N_("E-mail"), "portal": N_("Chat in the portal")}
DETAIL_NAMES = {
    ChatDetail.FULL: N_("Part, quantity and date"),
    ChatDetail.NUMBER_ONLY: N_("Only the number and a link"),
}
Several = Annotated[list[str], BeforeValidator(one_or_many)]


class NotificationsForm(Form):
    version: int
    digest_at: str = ""
    quiet_from: str = ""
    quiet_to: str = ""
    kind: Several = Field(default_factory=list, max_length=len(Kind))  # "confirmed:digest", one a kind
    first: str = Field("", max_length=16)
    second: str = Field("", max_length=16)
    third: str = Field("", max_length=16)
    deputy: UUID | None = None
    evening_summary: bool = False
    wake_for_line_stop: bool = False
    phone: str = ""

    @field_validator("kind")
    @classmethod
    def _known(cls, pairs: list[str]) -> list[str]:
        for pair in pairs:
            kind, _colon, chosen = pair.partition(":")
            if kind not in set(Kind) or chosen not in set(Choice):
                raise ValueError("a kind and a choice")
        return pairs

    def command(self) -> SetPreferences:
        chosen = dict(pair.split(":") for pair in self.kind)
        ways = [name for name in (self.first, self.second, self.third) if name]
        command: SetPreferences = read_command(
            SetPreferences,
            digest_at=self.digest_at,
            quiet_from=self.quiet_from,
            quiet_to=self.quiet_to,
            kinds=chosen,
            channels=ways,
            deputy_id=self.deputy,
            evening_summary=self.evening_summary,
            wake_for_line_stop=self.wake_for_line_stop,
            phone=self.phone,
        )
        return command


class DetailForm(Form):
    chat_detail: ChatDetail


def _first(found: Preference) -> dict[str, Any]:
    """What the form shows before anybody has typed."""
    wishes = service_preferences.wishes_of(found)
    ways = rules.ordered(CHANNELS, wishes)
    return {
        "version": found.version,
        "digest_at": rules.clock_time(found.digest_at),
        "quiet_from": rules.clock_time(found.quiet_from),
        "quiet_to": rules.clock_time(found.quiet_to),
        "kind": [f"{kind}:{rules.choice(wishes, kind)}" for kind in Kind],
        **dict(zip(("first", "second", "third"), ways, strict=True)),
        "deputy": found.deputy_id or "",
        "evening_summary": found.evening_summary,
        "wake_for_line_stop": found.wake_for_line_stop,
        "phone": found.phone,
    }


def _choices(kind: Kind) -> list[tuple[str, str]]:
    """What can be chosen for a kind. The evening's summary has a box of its own."""
    offered = ON_OR_OFF if kind is Kind.DIGEST else list(Choice)
    return [(choice.value, _(choice_name(kind, choice))) for choice in offered]


async def notifications(
    page: Page, actor: Actor, typed: Typed | None = None, status: int = 200, done: str = ""
) -> Template:
    """The page, with what was typed after a refusal."""
    assert actor.member_id is not None
    async with unit_of_work(actor) as session:
        found = await service_preferences.get_preference(session, actor, actor.member_id)
        detail = await service_preferences.chat_detail(session, actor)
        others = await reads.colleagues(await driver(session), actor, actor.member_id)
    return page.render(
        "accounts/notifications.html",
        status=status,
        typed=typed or Typed(**_first(found)),
        kinds=[(kind.value, _(name), _choices(kind)) for kind, name in KIND_NAMES.items() if kind is not Kind.AGREED],
        channels=[(name, _(CHANNEL_NAMES[name])) for name in CHANNELS],
        colleagues=[("", _("Nobody")), *((str(each.id), each.name) for each in others)],
        mail_works=addresses.mail_works(),
        detail=detail.value,
        details=[(each.value, _(name)) for each, name in DETAIL_NAMES.items()],
        decides=actor.is_factory and actor.may(Permission.MANAGE_PEOPLE),
        done=_(DONE[done]) if done in DONE else "",
    )


@get("/profile/notifications")
async def notifications_page(
    actor: NamedDependency[Actor], page: NamedDependency[Page], done: FromQuery[str] = ""
) -> Template:
    """How I want to be told."""
    return await notifications(page, actor, done=done)


@post("/profile/notifications")
async def choose(
    actor: NamedDependency[Actor], page: NamedDependency[Page], data: URLEncodedBody[NotificationsForm]
) -> Template | Redirect:
    """Choose anew."""
    assert actor.member_id is not None
    try:
        async with unit_of_work(actor) as session:
            await service_preferences.set_preferences(session, actor, actor.member_id, data.version, data.command())
    except (Invalid, Conflict) as error:
        return await notifications(page, actor, Typed(data, error), 422)
    return page.go("/profile/notifications?done=saved")


@post("/profile/notifications/detail")
async def choose_detail(
    actor: NamedDependency[Actor], page: NamedDependency[Page], data: URLEncodedBody[DetailForm]
) -> Redirect:
    """How much a message may say that leaves the house."""
    async with unit_of_work(actor) as session:
        await service_preferences.set_chat_detail(session, actor, SetChatDetail(chat_detail=data.chat_detail))
    return page.go("/profile/notifications?done=detail#detail")


ROUTES: list[Any] = [notifications_page, choose, choose_detail]
