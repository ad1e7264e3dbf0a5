"""Tables as files: XLSX and CSV that no spreadsheet program will take for a formula."""

import csv
import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from litestar import Response

from portal.core.errors import Invalid
from portal.core.i18n import N_

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# The last four are the full-width forms, which a spreadsheet program of East Asia takes for the same signs.
_ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class UnknownKind(Invalid):
    code = "unknown-file-kind"
    text = N_("Files come as xlsx or csv.")


def harmless(text: str) -> str:
    """The text with an apostrophe before anything that a spreadsheet program would run."""
    return "'" + text if text.lstrip(" \u3000\u00a0\"'").startswith(_ACTIVE) else text


def file(name: str, kind: str, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> Response[bytes]:
    """One table as a download. Decimals stay numbers, dates dates; texts are harmless."""
    if kind not in {"xlsx", "csv"}:
        raise UnknownKind(field="kind")
    if kind == "xlsx":
        return workbook(name, _xlsx(head, rows))
    return _download(f"{name}.csv", _csv(head, rows), "text/csv; charset=utf-8")


def workbook(name: str, content: bytes) -> Response[bytes]:
    """A workbook that is made already, as a download."""
    return _download(f"{name}.xlsx", content, XLSX)


def _download(name: str, content: bytes, media_type: str) -> Response[bytes]:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)


def _csv(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """UTF-8 with a mark, so that spreadsheet programs read Chinese; ISO dates, plain digits."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_MINIMAL)
    writer.writerow(head)
    for row in rows:
        writer.writerow([_text(cell) for cell in row])
    return out.getvalue().encode("utf-8-sig")


def _text(cell: Any) -> str:
    match cell:
        case None:
            return ""
        case Decimal():
            return f"{cell.normalize():f}"
        case date():
            return cell.isoformat()
        case _:
            return harmless(str(cell))


def _xlsx(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """Strings are written as strings, whatever they begin with; the head is frozen and filterable."""
    import xlsxwriter  # imported late: only exports pay for it

    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "constant_memory": False}
    )
    sheet = book.add_worksheet()
    bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
    for column, label in enumerate(head):
        sheet.write_string(0, column, label, bold)
    for number, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            match cell:
                case None:
                    continue
                case Decimal() | int():
                    sheet.write_number(number, column, cell)
                case date():
                    sheet.write_datetime(number, column, cell, day)
                case _:
                    sheet.write_string(number, column, str(cell))
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(len(rows), 1), len(head) - 1)
    sheet.autofit()
    book.close()
    return out.getvalue()
