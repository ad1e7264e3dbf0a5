"""What the pages are given: frozen, plain, already formatted where a loop is hot. Templates decide nothing else.

Every text is in the reader's language and every number is shown as the reader writes it. The functions that fill
these live beside the pages; nothing here reads a database or knows a session.
"""

from typing import NamedTuple

from msgspec import Struct

from portal.core.i18n import _
from portal.web.typed import Typed

Link = tuple[str, str]  # label, address


class Figure(Struct, frozen=True):
    """One number with its explanation. A KPI never sums different parts, so the label names the part."""

    label: str
    value: str
    caption: str
    suffix: str = ""
    warning: bool = False
    bar: int | None = None  # 0..100
    href: str | None = None  # what the number is made of


# ---- Lists ----------------------------------------------------------------------------------------------------


class Column(Struct, frozen=True):
    """A column; with an address its head sorts the list by the server."""

    label: str
    num: bool = False
    href: str | None = None
    direction: str | None = None  # "ascending", "descending"


class Row(Struct, frozen=True):
    """One object: the first cell names it and opens it."""

    cells: tuple[str, ...]
    href: str | None = None


class ListView(Struct, frozen=True):
    """A list page of the ordinary kind (`_list.html`)."""

    title: str
    columns: tuple[Column, ...]
    rows: list[Row]
    empty: str  # first time: what will be here; filtered: the filter in words
    sub: str = ""
    crumbs: tuple[Link, ...] = ()
    shown: str = ""
    next_href: str | None = None
    first_href: str | None = None


class Moment(Struct, frozen=True):
    """One line of a timeline: who did what, when, by which way."""

    text: str
    who: str
    when: str
    way: str = ""
    note: str = ""
    earlier: tuple["Moment", ...] = ()  # the same deed of the portal itself, time after time; behind one line


# ---- The board ------------------------------------------------------------------------------------------------


class ZoneSpan(Struct, frozen=True):
    """One commitment zone over its weeks. A zone without weeks is left out."""

    key: str  # firm, tradeoff, forecast
    name: str
    rule: str  # "Quantity and date are binding"
    weeks: int


class WeekColumn(Struct, frozen=True):
    """One ISO week; 2026 has a week 53, so the date stands under the number."""

    label: str  # "Wk 48"
    date: str  # "23 Nov", its Monday
    iso: str  # "2026-W48"
    current: bool = False
    closed: str = ""  # "1 Oct Buyer: National Day", the days on which a side does not work


class BoardCell(NamedTuple):
    """What is due in one week. Hot: 13,000 a page, so the parts are ready markup, and the template unpacks them."""

    text: str  # "1,200"
    href: str  # "" in a week without a delivery
    css: str = ""  # "", confirmed, to_confirm, at_risk, changed, forecast
    word: str = ""  # the mark in words, "" where there is no mark
    delta: str = ""  # "−200", only with `changed`


class BoardRow(Struct, frozen=True):
    """One contract line over the weeks."""

    part: str
    name: str
    href: str  # opens this part: figures and chart follow
    cells: list[BoardCell]
    cumulative: str
    variance: str
    variance_css: str = ""  # "", minus, plus
    selected: bool = False
    contract: str = ""  # its number, where rows of several contracts stand together


class AgendaRow(Struct, frozen=True):
    """One delivery in the phone's list."""

    href: str
    date: str
    week: str  # "Wk 48 · Tue"
    part: str
    name: str
    quantity: str
    css: str = ""  # as BoardCell
    word: str = ""
    delta: str = ""


class AgendaGroup(Struct, frozen=True):
    """The deliveries of one zone. Firm is open, the others are closed with their count."""

    zone: ZoneSpan
    count: str  # "14 deliveries"
    rows: list[AgendaRow]
    more: Link | None = None  # when a long group shows only its beginning


class Promise(Struct, frozen=True):
    """One part of a confirmation already given: so much on that day."""

    quantity: str
    date: str
    waits: bool = False  # for the buyer's decision
    note: str = ""  # on behalf, deemed, reason


class AnswerRow(NamedTuple):
    """One part of an answer in the form, with what is wrong with it."""

    quantity: str
    delivery: str  # day, as the field sends it
    despatch: str = ""
    quantity_wrong: str | None = None
    delivery_wrong: str | None = None
    despatch_wrong: str | None = None


class LineCard(Struct, frozen=True):
    """One schedule line that waits for, or just got, its answer. Also what a button swaps (`_line_card.html`)."""

    id: str
    version: int
    href: str
    part: str
    name: str
    quantity: str  # "800 pcs"
    date: str
    weekday: str
    actions: tuple[str, ...] = ()  # of LINE_STATES: confirm, reject; split is offered with confirm
    place: str = ""  # "Gate 3, Wuxi · 07:00-09:00", as far as the seller entered it
    good: str = ""  # "Material secured"
    bad: str = ""  # "Casting arrives 2 days late"
    plain_quantity: str = ""  # "800", what the confirm form sends
    plain_date: str = ""  # "2026-11-24"
    unit: str = ""  # name of the unit, "pcs"
    reasons: tuple[Link, ...] = ()  # (value, label) of the refusal reasons
    answered: str = ""  # "Confirmed by Lena Vogt, 23 Nov, 14:02": the row itself says what happened
    promises: tuple[Promise, ...] = ()
    refused: str = ""  # the form of the card that was not accepted: confirm, reject, decline; or another step
    typed: Typed = Typed()  # what was typed is kept, with what is wrong with it
    nothing_typed: Typed = Typed()  # of the forms that were not sent
    rows: tuple[AnswerRow, ...] = ()  # of the form that confirms: what would be confirmed, or what was typed
    error: str = ""  # what no field of the card shows
    currency: str = ""  # of the price that the seller may ask for; empty where the contract allows no other
    deviation: str = ""  # "Another quantity, a later day": an answer that waits for the buyer
    decides: bool = False  # this reader is the buyer who decides
    speaks_for: bool = False  # the factory may enter what its supplier said elsewhere


class ChartRow(Struct, frozen=True):
    """One row of "Show as table"."""

    date: str
    planned: str
    delivered: str
    cover: str = ""


class Chart(Struct, frozen=True):
    """The cumulative chart of one part.

    `data` is JSON for the script: {"x": [seconds of midnight UTC], "planned": [..], "delivered": [.., null],
    "cover": [..] or null, "zones": [{"key", "name", "from", "to"}], "today": seconds,
    "words": {"planned", "delivered", "cover", "today"}}.
    """

    title: str  # "A100 Bearing housing"
    data: str
    sentence: str
    rows: list[ChartRow]
    has_cover: bool = False


class BoardView(Struct, frozen=True):
    """Everything on the board of one contract."""

    title: str
    sub: str  # "Aurora Drives · FC-2026-014"
    crumbs: tuple[Link, ...]
    release: str  # "Release 27 · published 20 Nov 2026, 17:40"
    release_href: str | None
    release_no: int
    figures: tuple[Figure, ...]
    matrix_title: str  # "Next 13 weeks, pieces per week"
    views: tuple[tuple[str, str, int | None, bool], ...]  # segment switch
    zones: tuple[ZoneSpan, ...]
    weeks: tuple[WeekColumn, ...]
    rows: list[BoardRow]
    agenda: tuple[AgendaGroup, ...]
    empty: str
    chart: Chart | None = None
    waiting: tuple[LineCard, ...] = ()
    waiting_count: int = 0
    waiting_title: str = ""  # "To confirm" for the seller, "Waiting for the seller" for the buyer
    deadline: str = ""  # "Confirm by 23 Nov 2026, 18:00"
    can_confirm: bool = False
    asked_word: str = ""  # what an unanswered line is to this reader: "To confirm" or "Waiting"
    confirm_label: str = ""  # "Confirm 3 deliveries"
    confirm_action: str = ""  # the bulk form's address; it sends `line` = "<id>:<version>" per line
    confirm_lines: tuple[str, ...] = ()
    change_href: str | None = None  # where a change is asked for
    prepare_href: str | None = None  # where the next release is prepared
    export_href: str | None = None
    forecast_href: str | None = None  # of one contract: what is committed to
    cumulative_href: str | None = None  # of one contract: what both sides counted
    next_href: str | None = None
    first_href: str | None = None
    shown: str = ""
    refresh_href: str = ""  # the same page, fetched again when the other side did something

    @property
    def totals(self) -> tuple[str, str]:
        """What the last two columns are."""
        return _("Cumulative"), _("vs plan")


# ---- Today ----------------------------------------------------------------------------------------------------


class TodayItem(Struct, frozen=True):
    """One thing that waits, with one press: a form when it is done at once, a link when it needs a page."""

    title: str  # "A100 Bearing housing"
    amount: str
    meta: str  # "24 Nov Tue · Aurora Drives · FC-2026-014"
    href: str
    verb: str  # "Confirm", "Receive", "Accept", "Open"
    action: str | None = None  # a POST address; without it the verb is a link to href
    fields: tuple[Link, ...] = ()  # hidden fields of that form, the version among them
    bad: str = ""
    id: str = ""


class TodayGroup(Struct, frozen=True):
    """Things of one kind, the earliest deadline first."""

    key: str  # overdue, to_confirm, to_receive, to_accept
    title: str
    count: int
    items: tuple[TodayItem, ...]
    deadline: str = ""
    warning: bool = False
    more: Link | None = None


class TodayView(Struct, frozen=True):
    """What waits for me, by deadline. `nothing` is said when no group has an item."""

    title: str
    date: str
    groups: tuple[TodayGroup, ...]
    nothing: str
    next_href: str | None = None
    figures: tuple[Figure, ...] = ()


# ---- The receipt ----------------------------------------------------------------------------------------------


class Photo(Struct, frozen=True):
    """A picture already stored with the receipt."""

    href: str
    alt: str


class CountLine(Struct, frozen=True):
    """One line of a delivery note to count. Field names carry the id: received.<id>, reason.<id>, note.<id>,
    photo.<id> (several files)."""

    id: str
    part: str
    name: str
    packing: str  # "20 boxes × 40"
    announced: str  # "800", shown
    announced_plain: str  # "800", for the script
    step: str  # box size, what + and - add
    received: str  # what stands in the field, at first the announced quantity
    unit: str  # "packs"
    one: str  # "pack"
    reason: str = ""
    note: str = ""
    photos: tuple[Photo, ...] = ()
    error: str = ""


class ReceiptView(Struct, frozen=True):
    """Counting one delivery note. Works as a plain multipart form and better with its script."""

    number: str  # "ASN-20261124-07"
    action: str
    back_href: str
    scan_href: str
    version: int
    facts: tuple[Link, ...]  # (label, value): From, Truck, Arrived; only what is known
    lines: tuple[CountLine, ...]
    reasons: tuple[Link, ...]  # (value, label)
    error: str = ""
    request_id: str = ""  # the same request sent twice is one receipt; the script sends its own
