"""Who is told what, and when it may arrive. Pure: people, wishes, calendars and the instant come in as arguments.

Hours are minutes after midnight at the person's place; every computation is done on instants, so that a day on which
the clock is changed is as long as it really is.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from portal.core.access import Permission, Role, permissions_of
from portal.core.actor import Scope
from portal.core.calendars import DAY, SEARCH_DAYS, WorkingCalendar, local_today
from portal.core.errors import Invalid
from portal.core.i18n import N_
from portal.notices.model import DIGEST, EVENING, MORNING, Choice, Kind, Urgency

MIDNIGHT, END_OF_DAY = 0, 24 * 60
REMIND_DAYS = 3  # working days before a delivery is due
SOON = timedelta(hours=24)  # before an answer is due, the one who is asked is told again
ADMIN_AFTER = timedelta(hours=4)  # after an answer was due, the company's administrator is told
FORGOTTEN = timedelta(days=7)  # what is overdue for longer is nobody's news any more
EVENING_BEFORE = 30  # minutes before quiet hours begin, the day is summed up
EVENING_USUAL = 18 * 60 + 30
EARLIEST_EVENING = 16 * 60
LATEST_DIGEST = 12 * 60  # minutes after its hour until which a late summary still makes sense
LASTS = timedelta(days=3)  # how long a notice without a deadline is worth sending


class WrongHour(Invalid):
    code = "wrong-hour"
    text = N_("“{typed}” is not a time of day. Enter hours and minutes such as 08:00.")


class UnknownChannel(Invalid):
    code = "unknown-channel"
    text = N_("“{typed}” is not a way of sending messages. Use: {known}.")


class WrongTelephone(Invalid):
    code = "wrong-telephone"
    text = N_("“{typed}” is not a telephone number. Enter it with country code such as +86 21 5555 0123.")


class NotAColleague(Invalid):
    code = "not-a-colleague"
    text = N_("Choose a deputy among the active people of your own company, other than yourself.")


@dataclass(frozen=True, slots=True)
class Wishes:
    """How one person wants to be told; the defaults are those of somebody who has chosen nothing."""

    digest_at: int = DIGEST
    quiet_from: int = EVENING
    quiet_to: int = MORNING
    kinds: Mapping[str, str] = field(default_factory=dict)
    channels: Sequence[str] = ()
    deputy_id: UUID | None = None
    evening_summary: bool = True
    wake_for_line_stop: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a company works: its zone and its working days."""

    zone: str
    calendar: WorkingCalendar


@dataclass(frozen=True, slots=True)
class Recipient:
    """An active member of a company with their wishes."""

    member_id: UUID
    role: Role
    scope: Scope
    contract_ids: frozenset[UUID] | None
    wishes: Wishes
    email: str

    def may(self, permission: Permission) -> bool:
        return permission in permissions_of(self.scope, self.role)

    def sees(self, contract_id: UUID | None, contracts: Iterable[UUID] = ()) -> bool:
        """Whether a restricted colleague may know of an object. contracts: of an object that hangs on several."""
        if self.contract_ids is None:
            return True
        return contract_id in self.contract_ids or any(each in self.contract_ids for each in contracts)


# --- who --------------------------------------------------------------------------------------------------------------

ADMINS = frozenset({Role.ADMIN, Role.PARTNER_ADMIN})
_SELLER = dict.fromkeys(Scope, Permission.CONFIRM_LINES)
_BUYER = {Scope.FACTORY: Permission.PUBLISH_SCHEDULES, Scope.PARTNER: Permission.RECEIVE}
_COUNTER = dict.fromkeys(Scope, Permission.RECEIVE)
_SHIPPER = dict.fromkeys(Scope, Permission.SHIP)
NEEDED: dict[Kind, Mapping[Scope, Permission]] = {
    Kind.TO_CONFIRM: _SELLER,
    Kind.REMINDER: _SELLER,
    Kind.OVERDUE: _SELLER,
    Kind.CANCELLED: _SELLER,
    Kind.COMMIT: _SELLER,
    Kind.RELEASED: _BUYER,
    Kind.CONFIRMED: _BUYER,
    Kind.REJECTED: _BUYER,
    Kind.AT_RISK: _BUYER,
    Kind.SHIPPED: _COUNTER,
    Kind.RECEIPT_DUE: _COUNTER,
    Kind.RECEIVED: _SHIPPER,
    Kind.DIFFERENCE: _SHIPPER,
    Kind.CONTRACT: {Scope.FACTORY: Permission.EDIT_CONTRACTS, Scope.PARTNER: Permission.ACCEPT_CONTRACTS},
    Kind.APPROVAL: dict.fromkeys(Scope, Permission.APPROVE),
    Kind.APPROVED: dict.fromkeys(Scope, Permission.READ),
    Kind.CHANGE_ASKED: dict.fromkeys(Scope, Permission.REQUEST_CHANGES),
    Kind.CHANGE: dict.fromkeys(Scope, Permission.REQUEST_CHANGES),
    Kind.DIGEST: dict.fromkeys(Scope, Permission.READ),
    Kind.AGREED: dict.fromkeys(Scope, Permission.READ),
}
# What ends when the object is answered.
TO_DO = frozenset(
    {
        *(Kind.TO_CONFIRM, Kind.OVERDUE, Kind.COMMIT, Kind.SHIPPED, Kind.RECEIPT_DUE, Kind.APPROVAL, Kind.CHANGE_ASKED),
    }
)
ALWAYS_NEW = TO_DO | {
    *(Kind.REJECTED, Kind.AT_RISK, Kind.CANCELLED, Kind.DIFFERENCE, Kind.CONTRACT, Kind.REMINDER, Kind.APPROVED),
    Kind.CHANGE,
}
# What a group chat is told of its contract at once: news that its people act on. Nothing that names or asks one person.
IN_GROUPS = frozenset(
    {
        *(Kind.TO_CONFIRM, Kind.REJECTED, Kind.AT_RISK, Kind.CANCELLED, Kind.SHIPPED, Kind.DIFFERENCE, Kind.CONTRACT),
        *(Kind.CHANGE_ASKED, Kind.CHANGE, Kind.COMMIT, Kind.REMINDER, Kind.RECEIPT_DUE),
    }
)
QUIETLY = frozenset({Kind.RELEASED, Kind.CONFIRMED, Kind.RECEIVED})  # with the daily summary, if nothing else is wished


def told(
    people: Sequence[Recipient],
    kind: Kind,
    contract_id: UUID | None = None,
    *,
    contracts: Iterable[UUID] = (),
    actor_id: UUID | None = None,
    asker: UUID | None = None,
) -> list[Recipient]:
    """Whom of a company a kind concerns: who may do what it asks and may see the object, never the one who acted.

    Administrators are told of daily work only where nobody else of the company may do it, or where it answers what they
    asked themselves.
    """
    seen = list(contracts)
    able = [who for who in people if who.may(NEEDED[kind][who.scope]) and who.sees(contract_id, seen)]
    workers = [who for who in able if who.role not in ADMINS]
    workers += [who for who in able if who.role in ADMINS and who.member_id == asker] if workers else []
    return [who for who in (workers or able) if who.member_id != actor_id]


def administrators(people: Sequence[Recipient]) -> list[Recipient]:
    """Who is told when nobody of the company answered."""
    return [who for who in people if who.role in ADMINS and who.contract_ids is None]


def deputies(
    people: Sequence[Recipient], absent: Iterable[Recipient], kind: Kind, contract_id: UUID
) -> list[Recipient]:
    """The deputies of those who did not answer, as far as they may answer themselves."""
    wanted = {who.wishes.deputy_id for who in absent} - {None}
    able = [who for who in people if who.may(NEEDED[kind][who.scope]) and who.sees(contract_id)]
    return [who for who in able if who.member_id in wanted]


def choice(wishes: Wishes, kind: Kind) -> Choice:
    """What the person chose for a kind, or what everybody gets."""
    if kind is Kind.AGREED and not wishes.evening_summary:
        return Choice.OFF
    chosen = wishes.kinds.get(kind)
    if chosen in set(Choice):
        return Choice(chosen)
    return Choice.DIGEST if kind in QUIETLY else Choice.AT_ONCE


# --- when -------------------------------------------------------------------------------------------------------------


def instant(day: date, minutes: int, zone: str) -> datetime:
    """So many minutes after midnight by the clock of a zone, in UTC; 1440 is the end of the day."""
    whole, rest = divmod(minutes, END_OF_DAY)
    at = datetime.combine(day + DAY * whole, time(rest // 60, rest % 60), ZoneInfo(zone))
    return at.astimezone(UTC)


def _windows(wishes: Wishes) -> list[tuple[int, int]]:
    """The parts of a working day in which messages may arrive."""
    begins, ends = wishes.quiet_from, wishes.quiet_to
    if begins == ends:
        return [(MIDNIGHT, END_OF_DAY)]
    parts = [(ends, begins)] if ends < begins else [(MIDNIGHT, begins), (ends, END_OF_DAY)]
    return [(first, last) for first, last in parts if first < last]


def next_allowed(now: datetime, place: Place, wishes: Wishes, urgency: Urgency = Urgency.NORMAL) -> datetime:
    """Now, or the first instant after it that is neither in quiet hours nor on a day that is not worked.

    Only what may stop a production line breaks through, and only where the person agreed to that.
    """
    if urgency is Urgency.LINE_STOP and wishes.wake_for_line_stop:
        return now
    day = local_today(now, place.zone)
    for _ in range(SEARCH_DAYS):
        if place.calendar.is_working(day):
            for begins, ends in _windows(wishes):
                if now < instant(day, ends, place.zone):
                    return max(now, instant(day, begins, place.zone))
        day += DAY
    return now  # a calendar without working days would keep everything for ever


def is_quiet(now: datetime, place: Place, wishes: Wishes) -> bool:
    """Whether a message would disturb now."""
    return next_allowed(now, place, wishes) > now


def digest_day(now: datetime, place: Place, wishes: Wishes) -> date | None:
    """The day whose summary is due: a working day on which the person's hour has come, and not long ago."""
    day = local_today(now, place.zone)
    begins = instant(day, wishes.digest_at, place.zone)
    due = place.calendar.is_working(day) and begins <= now < begins + timedelta(minutes=LATEST_DIGEST)
    return day if due else None


def evening(wishes: Wishes) -> int:
    """When a day is summed up: half an hour before the quiet begins, else at half past six."""
    before = wishes.quiet_from - EVENING_BEFORE
    return before if before >= EARLIEST_EVENING and wishes.quiet_to < wishes.quiet_from else EVENING_USUAL


def evening_day(now: datetime, place: Place, wishes: Wishes) -> date | None:
    """The day whose evening it is."""
    day = local_today(now, place.zone)
    return day if now >= instant(day, evening(wishes), place.zone) else None


def reminder_begins(due: date, calendar: WorkingCalendar) -> date:
    """The day from which a delivery is reminded of: three working days before it is due."""
    return calendar.add_working_days(due, -REMIND_DAYS)


def levels(now: datetime, respond_by: datetime) -> Iterator[int]:
    """How far the demand for an answer has risen: 1 a day before (the person), 2 when due (the deputy), 3 four hours
    later (the administrator). Only the highest is told, so that a worker that was away sends one message, not three."""
    if now >= respond_by + FORGOTTEN:
        return
    if now >= respond_by + ADMIN_AFTER:
        yield 3
    elif now >= respond_by:
        yield 2
    elif now >= respond_by - SOON:
        yield 1


def expiry(kind: Kind, now: datetime, due_at: datetime | None) -> datetime:
    """When a notice is not worth sending any more."""
    return max(due_at + FORGOTTEN, now + LASTS) if due_at is not None and kind in TO_DO else now + LASTS


def fallback_at(now: datetime, due_at: datetime | None) -> datetime | None:
    """When the next way is tried unless somebody answered: half of the time that is left. None: not at all."""
    return now + (due_at - now) / 2 if due_at is not None and due_at > now else None


def ordered(available: Iterable[str], wishes: Wishes) -> list[str]:
    """The ways of reaching a person, first choice first; ways they did not name come last in the usual order."""
    have = list(dict.fromkeys(available))
    usual = sorted(have, key=lambda name: USUAL.index(name) if name in USUAL else 0)
    return [name for name in wishes.channels if name in have] + [name for name in usual if name not in wishes.channels]


USUAL = ("telegram", "email", "portal")  # what reaches a person who is away comes before what waits for a visit


def minutes(typed: str, field: str) -> int:
    """08:00 as minutes after midnight. Raises WrongHour."""
    hour, colon, minute = typed.strip().replace("：", ":").partition(":")
    if not (hour.isdecimal() and colon and minute.isdecimal() and len(minute) == 2):
        raise WrongHour(field=field, typed=typed)
    if int(hour) > 23 or int(minute) > 59:
        raise WrongHour(field=field, typed=typed)
    return int(hour) * 60 + int(minute)


def telephone(typed: str, field: str) -> str:
    """A number as it is dialled, with single spaces; empty stays empty. Raises WrongTelephone."""
    said = " ".join(typed.replace("＋", "+").split())
    plain = said.removeprefix("+").translate(str.maketrans("", "", " -()/."))
    if said and not (plain.isascii() and plain.isdecimal() and 5 <= len(plain) <= 18):
        raise WrongTelephone(field=field, typed=typed)
    return said


def clock_time(after_midnight: int) -> str:
    """Minutes after midnight as 08:00."""
    return f"{after_midnight // 60:02}:{after_midnight % 60:02}"
