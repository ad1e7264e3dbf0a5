"""What the audit pages show: deeds in the reader's words, and where the chain stands."""

import json
from typing import Any
from uuid import UUID

from litestar import Response
from msgspec import Struct
from msgspec.structs import asdict, replace

from portal.core import audit, clock, paging
from portal.core.actor import Actor
from portal.core.audit import AuditFilter, AuditRow
from portal.core.calendars import local_today
from portal.core.db import read
from portal.core.i18n import N_, _
from portal.web import tables
from portal.web.addresses import address, day_of
from portal.web.particulars import particulars

SIZE = 50
EXPORT_LIMIT = 100_000
SHOWN = 160  # characters of the particulars in the list; the file holds all
KINDS = {
    "contract": N_("Contract"),
    "contract_template": N_("Contract template"),
    "change_request": N_("Change request"),
    "change_terms": N_("How changes are agreed"),
    "exchange_rate": N_("Exchange rate"),
    "schedule_line": N_("Delivery"),
    "line_report": N_("Delay or problem"),
    "release": N_("Release"),
    "prepared_release": N_("Held release"),
    "shipment": N_("Delivery note"),
    "receipt": N_("Receipt"),
    "item": N_("Item"),
    "party": N_("Partner"),
    "site": N_("Site"),
    "member": N_("Person"),
    "api_key": N_("API key"),
    "chat": N_("Chat"),
    "calendar_feed": N_("Calendar feed"),
    "import_mapping": N_("Mapping of an import"),
    "import_run": N_("Import"),
    "tenant": N_("Company settings"),
    "delivery": N_("Event"),
    "preference": N_("Notification choices"),
    "reminder": N_("Reminder"),
    "approval_case": N_("Approval"),
    "rule_set": N_("Approval rules"),
    "custom_field": N_("Custom field"),
    "sheet_run": N_("Workbook sent back"),
}
PLACES = {  # where a document of a kind is opened
    "change_request": "/changes/",
    "contract": "/contracts/",
    "schedule_line": "/schedule-lines/",
    "shipment": "/shipments/",
    "item": "/items/",
    "party": "/partners/",
    "site": "/sites/",
    "member": "/people/",
    "approval_case": "/approvals/",
    "custom_field": "/fields/",
}
VERBS = {
    "accepted": N_("accepted"),
    "acknowledged": N_("release acknowledged"),
    "withheld": N_("release not published"),
    "held": N_("release held"),
    "planned": N_("change planned"),
    "unplanned": N_("planned change dropped"),
    "release_failed": N_("planned release refused"),
    "release_plan_set": N_("how releases are made, set"),
    "release_terms_set": N_("cancelling terms agreed"),
    "restored": N_("request taken back"),
    "activated": N_("activated"),
    "agreed_anew": N_("changed by agreement"),
    "amendment_accepted": N_("amendment accepted"),
    "amendment_applied": N_("amendment in force"),
    "amendment_countered": N_("amendment countered"),
    "amendment_declined": N_("amendment declined"),
    "amendment_proposed": N_("amendment offered"),
    "amendment_withdrawn": N_("amendment withdrawn"),
    "applied": N_("applied"),
    "apply_failed": N_("could not be applied"),
    "asked": N_("asked for an answer"),
    "asked_again": N_("asked again"),
    "called_off": N_("called off"),
    "cancelled": N_("cancelled"),
    "commented": N_("remark written"),
    "completed": N_("completed"),
    "confirmed": N_("confirmed"),
    "countered": N_("answered with a counter-offer"),
    "created": N_("created"),
    "taken_over": N_("the answer was taken over from a colleague"),
    "declined": N_("declined"),
    "deviated": N_("answered otherwise than asked"),
    "deviation_accepted": N_("deviating answer accepted"),
    "deviation_declined": N_("deviating answer declined"),
    "discarded": N_("draft thrown away"),
    "drafted": N_("drafted"),
    "undone": N_("undone as a whole"),
    "edited": N_("edited"),
    "erp_noted": N_("state in the ERP noted"),
    "escalated": N_("the deputy was asked for an answer"),
    "escalated_to_admin": N_("the administrator was told of the missing answer"),
    "expired": N_("ended by the calendar"),
    "factor_removed": N_("second factor removed"),
    "factor_set_up": N_("second factor set up"),
    "fields_written": N_("custom fields written"),
    "file_added": N_("file added"),
    "generated": N_("deliveries generated"),
    "imported": N_("imported"),
    "invited": N_("invited"),
    "invoice_reported": N_("invoice reported"),
    "invoice_reversed": N_("invoice reversed"),
    "joined": N_("joined"),
    "note_written": N_("private note written"),
    "opening_confirmed": N_("opening balances confirmed"),
    "opening_declined": N_("opening balances not confirmed"),
    "opening_proposed": N_("opening balances entered"),
    "opening_withdrawn": N_("opening balances withdrawn"),
    "part_number_added": N_("part number added"),
    "part_number_removed": N_("part number removed"),
    "proposed": N_("proposed"),
    "published": N_("published"),
    "recovery_codes_renewed": N_("recovery codes made anew"),
    "rebased": N_("asked anew on the figures of now"),
    "receipt_corrected": N_("receipt corrected"),
    "received": N_("received"),
    "redrafted": N_("drafts brought to an amendment"),
    "rejected": N_("rejected"),
    "released": N_("release published"),
    "reminded": N_("reminded of the answer"),
    "requested": N_("requested"),
    "removed": N_("removed"),
    "renamed": N_("renamed"),
    "restricted": N_("restricted"),
    "resumed": N_("resumed after a suspension"),
    "saved": N_("saved"),
    "set": N_("set"),
    "revoked": N_("revoked"),
    "role_changed": N_("role changed"),
    "sent": N_("sent"),
    "shipped": N_("shipped"),
    "shipment_withdrawn": N_("delivery note withdrawn"),
    "submitted": N_("sent to the other company"),
    "supply_noted": N_("material state noted"),
    "transport_changed": N_("transport changed"),
    "photos_added": N_("photos added"),
    "previewed": N_("read and tried"),
    "suspended": N_("suspended for now"),
    "terminated": N_("terminated before its time"),
    "changed": N_("draft changed"),
    "lapsed": N_("no answer in time"),
    "request_changed": N_("request changed"),
    "regrouped": N_("split or joined, promises kept"),
    "joined_to": N_("joined with another delivery"),
    "schedule_edited": N_("schedule edited"),
    "windows_set": N_("receiving hours set"),
    "line_added": N_("line added"),
    "line_changed": N_("line changed"),
    "line_removed": N_("line removed"),
    "price_set": N_("price set"),
    "price_removed": N_("price removed"),
    "bound": N_("chat linked"),
    "unbound": N_("chat unlinked"),
    "moved": N_("chat linked by somebody else"),
    "blocked": N_("chat blocked by its person"),
    "reported": N_("warning given"),
    "report_closed": N_("warning closed"),
    "settled": N_("warning settled by the receipt"),
    "sealed": N_("sealed document made"),
    "commit_asked": N_("seller asked for a commit"),
    "commit_lapsed": N_("no commit in time"),
    "commit_terms_ended": N_("no commits asked for any more"),
    "commit_terms_set": N_("commits asked for"),
    "forecast_committed": N_("forecast committed to"),
    "counting_set": N_("counting policy set"),
    "cumulative_agreed": N_("cumulative entry agreed to"),
    "cumulative_correction_proposed": N_("correction of a cumulative quantity proposed"),
    "cumulative_declined": N_("cumulative entry declined"),
    "cumulative_opening_proposed": N_("opening figure of a cumulative quantity proposed"),
    "cumulative_reported": N_("cumulative quantity reported"),
    "cumulative_reset_proposed": N_("reset of a cumulative quantity proposed"),
    "cumulative_withdrawn": N_("cumulative entry withdrawn"),
    "commitment_terms_set": N_("use of periods agreed"),
    "periods_set": N_("periods set"),
    "targets_set": N_("targets set"),
    "over_call_allowed": N_("over-call allowed"),
    "period_closed": N_("period closed"),
    "tried_again": N_("tried again"),
    "approved": N_("approved"),
    "approved_by_rule": N_("approved by a rule"),
    "refused": N_("refused"),
    "refused_by_rule": N_("refused by a rule"),
    "replaced": N_("asked again, as it is now"),
    "withdrawn": N_("withdrawn"),
}
BREAKS = {
    "gap": N_("An entry is missing before number {number}."),
    "fork": N_("Number {number} stands there twice."),
    "edit": N_("Entry {number} was changed after it was sealed."),
}


class Asked(Struct, frozen=True):
    """The log's address, taken apart."""

    kind: str = ""
    member: str = ""
    since: str = ""
    until: str = ""
    subject: str = ""
    cursor: str | None = None

    def href(self, path: str = "/audit", **changes: Any) -> str:
        """The same selection with other parts; empty parts are left out."""
        other = replace(self, **({"cursor": None} | changes))
        return address(path, asdict(other))

    @property
    def narrowed(self) -> bool:
        return bool(self.kind or self.member or self.since or self.until or self.subject)

    def filter(self) -> AuditFilter:
        """As the log is searched. Raises NotADate; a document that is no id is none of ours."""
        subject = UUID(self.subject) if _is_id(self.subject) else UUID(int=0) if self.subject else None
        days = day_of("since", self.since), day_of("until", self.until)
        return AuditFilter(f"{self.kind}." if self.kind else "", self.member.strip(), *days, subject)


class Deed(Struct, frozen=True):
    """One row of the log, in the reader's words."""

    row: AuditRow
    who: str
    what: str
    particulars: str
    href: str | None
    all_href: str  # everything on the same document


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def deed(row: AuditRow) -> Deed:
    """The row as it reads: Delivery · confirmed."""
    kind, _dot, verb = row.action.partition(".")
    what = f"{_(KINDS.get(kind, kind))} · {_(VERBS.get(verb, verb))}"
    place = PLACES.get(kind)
    return Deed(
        row,
        row.member_name or _("System"),
        what,
        particulars(row.data, SHOWN),
        place + str(row.subject_id) if place else None,
        Asked(subject=str(row.subject_id)).href(),
    )


async def context(actor: Actor, asked: Asked) -> dict[str, Any]:
    """What `audit/list.html` shows."""
    after = paging.decode(asked.cursor, UUID)[0] if asked.cursor else None
    async with read(actor) as connection:
        rows = await audit.list_rows(connection, actor, asked.filter(), after, SIZE)
        state = await audit.chain(connection, actor)
    more = rows[SIZE - 1] if len(rows) > SIZE else None
    return {
        "deeds": [deed(row) for row in rows[:SIZE]],
        "asked": asked,
        "kinds": [("", _("All")), *((kind, _(name)) for kind, name in KINDS.items())],
        "chain": state,
        "next_href": asked.href(cursor=paging.encode(more.id)) if more else None,
        "first_href": asked.href() if asked.cursor else None,
        "export_href": asked.href("/audit/export"),
    }


async def proof(actor: Actor) -> dict[str, Any]:
    """What `audit/chain.html` shows."""
    async with read(actor) as connection:
        state = await audit.chain(connection, actor)
        breaks = await audit.verify_chain(connection, actor)
    sentences = [_(BREAKS[found.what]).format(number=found.seal_no) for found in breaks]
    return {"chain": state, "breaks": sentences}


async def export(actor: Actor, asked: Asked) -> Response[bytes]:
    """The log as CSV: times in UTC, everything that was noted, and each entry's number in the chain."""
    async with read(actor) as connection:
        rows = await audit.list_rows(connection, actor, asked.filter(), None, EXPORT_LIMIT)
    head = [
        _("Time (UTC)"), _("Who"), _("Company"), _("Action"), _("Document"), _("Particulars"), _("Number in the chain"),
    ]  # fmt: skip
    body = [
        [
            row.at.isoformat(timespec="seconds"), row.member_name or _("System"), row.party_name, row.action,
            row.subject_id, json.dumps(row.data, ensure_ascii=False, default=str),
            "" if row.seal_no is None else row.seal_no,
        ]
        for row in rows[:EXPORT_LIMIT]
    ]  # fmt: skip
    name = f"audit-{local_today(clock.now(), actor.time_zone).isoformat()}"
    return tables.file(name, "csv", head, body)
