"""What the forms of shipping and receiving send: fields named after their line, numbers as people type them."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from litestar import Request
from litestar.datastructures import FormMultiDict, UploadFile
from pydantic import BaseModel

from portal.core import files
from portal.core.errors import Invalid, PortalError, Reading
from portal.core.faults import FieldEmpty
from portal.core.files import Stored
from portal.core.i18n import N_
from portal.shipments import counting, service
from portal.shipments.files import check_number
from portal.web.errors import BadForm
from portal.web.field_errors import command, filled
from portal.web.schedule_forms import VersionForm

PHOTOS_A_LINE = 6
ANY = Decimal(1)  # in the place of a quantity that cannot be read, so that the rest of the form is still checked
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")
_PLAIN = re.compile(r"\d{1,12}(\.\d{1,6})?", re.ASCII)


class NotANumber(Invalid):
    code = "not-a-quantity"
    text = N_("“{text}” is not a quantity. Write it as 1200 or 1,200.5.")


class NothingChosen(Invalid):
    code = "nothing-to-ship"
    text = N_("No delivery was chosen. Tick each delivery that is on this delivery note.")


class TooManyOfOneLine(Invalid):
    code = "too-many-photos-of-one-line"
    text = N_("A line holds up to {most} photos. Leave some out.")


def quantity(text: str, field: str) -> Decimal:
    """A number as people type it: 1200, 1,200 or 1200.5, also with full-width digits. Raises NotANumber."""
    plain = text.strip().replace("，", ",").replace("．", ".").replace("\u00a0", "").replace(" ", "")
    if _THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    plain = "".join(str(int(sign)) if sign.isdecimal() else sign for sign in plain)
    if not plain:
        raise FieldEmpty(field=field)
    if not _PLAIN.fullmatch(plain):
        raise NotANumber(field=field, text=text.strip()[:40])
    return Decimal(plain)


def texts(form: FormMultiDict) -> dict[str, str]:
    """The plain fields of a form, stripped; the page's own token is dropped."""
    pairs = ((name, value) for name, value in form.multi_items() if isinstance(value, str))
    return {name: value.strip() for name, value in pairs if name != "_csrf_token"}


def read(model: type[BaseModel], **values: Any) -> Any:
    """The command, or Invalid with the first field that cannot be accepted and what is wrong with it."""
    return filled(model, values)


# --- shipping ---------------------------------------------------------------------------------------------------------

HEAD = ("number", "shipped_on", "expected_on", "carrier", "vehicle", "note", "request_id")


def new_shipment(form: FormMultiDict) -> service.NewShipment:
    """The command of the form: each ticked `line` with its quantity, lot and packages."""
    typed = texts(form)
    chosen = [str(line) for line in form.getall("line", [])]
    if not chosen:
        raise NothingChosen(field="lines")
    reading, lines = Reading(), []
    for no, line in enumerate(chosen):
        entry: dict[str, Any] = {"line_id": line, "lot": typed.get(f"lot.{line}", ""), "quantity": ANY}
        lines.append(entry)
        with reading.part():
            entry["quantity"] = quantity(typed.get(f"quantity.{line}", ""), f"lines.{no}.quantity")
        if typed.get(f"packages.{line}"):
            entry["packages"] = typed[f"packages.{line}"]
        if typed.get(f"size.{line}"):
            with reading.part():
                entry["package_size"] = quantity(typed[f"size.{line}"], f"lines.{no}.package_size")
    head = {name: typed[name] for name in HEAD if typed.get(name)}
    with reading.part():
        command: service.NewShipment = read(service.NewShipment, **head, lines=lines)
    reading.done()
    return command


class TransportForm(VersionForm):
    """The dialog on a delivery note that is on its way."""

    expected_on: str = ""
    carrier: str = ""
    vehicle: str = ""
    note: str = ""

    def command(self) -> service.Transport:
        return command(service.Transport, self.model_dump(exclude={"version"}))


# --- receiving --------------------------------------------------------------------------------------------------------


class Count:
    """A count as it was sent: texts as typed, pictures as taken."""

    def __init__(self, form: FormMultiDict, key: str | None) -> None:
        self.typed: Mapping[str, str] = texts(form)
        self._key = key or self.typed.get("request_id") or None
        self._uploads = [
            (name.partition(".")[2], value)
            for name, value in form.multi_items()
            if isinstance(value, UploadFile) and value.filename
        ]
        self.lines = [name.partition(".")[2] for name in self.typed if name.startswith("received.")]

    @property
    def version(self) -> int | None:
        """The version of the shipment that the page showed."""
        text = self.typed.get("version", "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None

    def command(self) -> counting.Receive:
        """Per line the good pieces, the reason for a difference and a note."""
        reading, lines = Reading(), []
        for no, line in enumerate(self.lines):
            entry: dict[str, Any] = {"shipment_line_id": line, "problem": self.typed.get(f"reason.{line}") or None}
            lines.append(entry | {"note": self.typed.get(f"note.{line}", ""), "good": ANY})
            with reading.part():
                lines[no]["good"] = quantity(self.typed[f"received.{line}"], f"lines.{no}.good")
        with reading.part():
            command: counting.Receive = read(counting.Receive, request_id=self._request_id(), lines=lines)
        reading.done()
        return command

    async def photos(self) -> list[Stored]:
        """The pictures, drawn anew. Raises Invalid before anything is stored."""
        check_number(self._uploads)
        for line in self.lines:
            if sum(1 for of, _ in self._uploads if of == line) > PHOTOS_A_LINE:
                raise TooManyOfOneLine(field=f"photo.{line}", most=PHOTOS_A_LINE)
        return [await files.drawn_anew(await upload.read(), f"photo.{line}") for line, upload in self._uploads]

    def line_of(self, error: PortalError) -> str | None:
        """The line that a refusal is about, from lines.2.good or photo.<id>."""
        kind, _, rest = (error.field or "").partition(".")
        if kind == "photo":
            return rest
        place = rest.partition(".")[0]
        return (
            self.lines[int(place)] if kind == "lines" and place.isdecimal() and int(place) < len(self.lines) else None
        )

    def _request_id(self) -> UUID | None:
        try:
            return UUID(self._key) if self._key else None
        except ValueError as error:
            raise BadForm(field="request_id", fields="request_id") from error


async def read_count(request: Request[Any, Any, Any]) -> Count:
    """The form of the receipt page; the queue names its entry in the header Idempotency-Key."""
    return Count(await request.form(), request.headers.get("idempotency-key"))
