"""The file store: bytes under their own digest, one folder a tenant, below PORTAL_DATA/files or in PORTAL_FILES_URL.

What comes from outside is judged by its content, never by its name or declared type. Pictures are drawn anew, so that
nothing hidden in them, and not the place where they were taken, is ever stored or handed on.
"""

import asyncio
import hashlib
import io
import os
import re
import unicodedata
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote
from uuid import UUID

from portal.core.errors import Invalid, NotFound, Unavailable
from portal.core.i18n import N_
from portal.core.ids import uuid7
from portal.core.settings import get_settings

if TYPE_CHECKING:
    from obstore.store import ObjectStore
    from PIL import Image

PICTURE_MB = 15  # a photo as phones make them, before it is drawn anew
LONG_EDGE = 1600  # pixels of a stored picture
FORMATS = ("JPEG", "PNG", "WEBP")
MOST_PIXELS = {"JPEG": 120_000_000}  # JPEG is decoded at a fraction of its size; the others only whole
MOST_PIXELS_WHOLE = 24_000_000
KEPT_EXIF = ("DateTime", "DateTimeOriginal", "OffsetTimeOriginal")
_DRAWING = asyncio.Semaphore(2)  # pictures decoded at once; each may take 100 MB for a moment


class TooLarge(Invalid):
    code = "picture-too-large"
    text = N_("This file has {size} MB; {most} MB are possible. Send a smaller one.")


class NotAPicture(Invalid):
    code = "not-a-picture"
    text = N_("This file is not a photo that can be read. Send a JPEG, PNG or WebP picture.")


class TooManyPixels(Invalid):
    code = "too-many-pixels"
    text = N_("This picture is larger than {most} million pixels. Send a smaller one.")


class FileMissing(Unavailable):
    lasting = True
    code = "file-missing"
    text = N_("This file is not in the store. An operator can bring it back from the backup of the data folder.")


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes ready for the store, with the name they will have there."""

    content: bytes
    content_type: str

    @property
    def digest(self) -> str:
        """sha256 of the bytes, hex."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def size(self) -> int:
        return len(self.content)


# --- the store --------------------------------------------------------------------------------------------------------


async def keep(tenant_id: UUID, file: Stored) -> str:
    """Write the bytes and return their digest. The same bytes twice are one file; a crash leaves no half file."""
    if url := get_settings().files_url:
        await _remote(url).put_async(_name(tenant_id, file.digest), file.content)
    else:
        await asyncio.to_thread(_write, _path(tenant_id, file.digest), file.content)
    return file.digest


async def fetch(tenant_id: UUID, digest: str) -> bytes:
    """The bytes of a digest. Raises NotFound for what cannot be a digest, FileMissing when the store lacks it."""
    try:
        if url := get_settings().files_url:
            found = await _remote(url).get_async(_name(tenant_id, digest))
            return bytes(await found.bytes_async())
        return await asyncio.to_thread(_path(tenant_id, digest).read_bytes)
    except FileNotFoundError as error:
        raise FileMissing from error


@cache
def _remote(url: str) -> "ObjectStore":
    """A folder or a bucket. The keys of a bucket come from the environment, as its own programs read them."""
    from obstore.store import from_url  # imported late: most installations keep files in a folder

    if url.startswith("file:"):
        return from_url(url, mkdir=True)
    return from_url(url)


def _name(tenant_id: UUID, digest: str) -> str:
    return f"{tenant_id}/{_path(tenant_id, digest).name}"


def folder(tenant_id: UUID) -> Path:
    """Where one tenant's files lie."""
    return get_settings().data / "files" / str(tenant_id)


def _path(tenant_id: UUID, digest: str) -> Path:
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise NotFound
    return folder(tenant_id) / digest


def _write(path: Path, content: bytes) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{uuid7()}")
    try:
        with draft.open("xb") as target:
            target.write(content)
            target.flush()
            os.fsync(target.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


# --- pictures ---------------------------------------------------------------------------------------------------------


async def drawn_anew(content: bytes, field: str | None = None) -> Stored:
    """A picture as it may be stored: JPEG, upright, at most 1600 pixels long, with its time and without its place.

    Raises TooLarge, NotAPicture or TooManyPixels before anything of it is unpacked.
    """
    if len(content) > PICTURE_MB * 1024 * 1024:
        raise TooLarge(field=field, size=len(content) // (1024 * 1024), most=PICTURE_MB)
    async with _DRAWING:
        try:
            return await asyncio.to_thread(_draw, content)
        except Invalid as error:
            error.field = field
            raise


def _draw(content: bytes) -> Stored:
    from PIL import Image, UnidentifiedImageError  # here and below imported late: the library is not needed to start

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # our own bound on pixels is lower than the one Pillow warns of
            with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
                return _upright(picture)
    except Image.DecompressionBombError as error:
        raise TooManyPixels(most=MOST_PIXELS_WHOLE // 1_000_000) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise NotAPicture from error


def _upright(picture: "Image.Image") -> Stored:
    from PIL import ExifTags, Image, ImageOps

    most = MOST_PIXELS.get(picture.format or "", MOST_PIXELS_WHOLE)
    if picture.width * picture.height > most:
        raise TooManyPixels(most=most // 1_000_000)
    kept = {ExifTags.Base[name] for name in KEPT_EXIF}
    taken = {tag: value for tag, value in _times(picture).items() if tag in kept and isinstance(value, str)}
    picture.draft("RGB", (LONG_EDGE, LONG_EDGE))
    upright = ImageOps.exif_transpose(picture).convert("RGB")
    upright.thumbnail((LONG_EDGE, LONG_EDGE))
    exif = Image.Exif()
    exif.update(taken)
    target = io.BytesIO()
    upright.save(target, "JPEG", quality=82, optimize=True, exif=exif.tobytes())
    return Stored(target.getvalue(), "image/jpeg")


def _times(picture: "Image.Image") -> dict[int, object]:
    from PIL import ExifTags

    exif = picture.getexif()
    return {**exif, **exif.get_ifd(ExifTags.IFD.Exif)}


# --- attachments ------------------------------------------------------------------------------------------------------

ATTACHMENT_MB = 20
LONGEST_NAME = 160
_OFFICE = {".docx": "word/document.xml", ".xlsx": "xl/workbook.xml"}  # the part that tells which kind a zip file is


class AttachmentTooLarge(Invalid):
    code = "attachment-too-large"
    text = N_("This file has more than {most} MB. Send a smaller one.")


class AttachmentKind(Invalid):
    code = "attachment-kind"
    text = N_("Only these files can be attached: {kinds}. What is in this one does not match its name “{name}”.")


class AttachmentEmpty(Invalid):
    code = "attachment-empty"
    text = N_("No file was chosen, or it is empty. Choose a file.")


def _office(part: str) -> Callable[[bytes], bool]:
    def fits(content: bytes) -> bool:
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                return part in archive.namelist()
        except (zipfile.BadZipFile, ValueError, RuntimeError):
            return False

    return fits


def _text(content: bytes) -> bool:
    try:
        return "\x00" not in content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False


# By the end of the name: the content type it is served with, and whether the bytes are such a file.
ATTACHMENTS: dict[str, tuple[str, Callable[[bytes], bool]]] = {
    ".pdf": ("application/pdf", lambda content: content.startswith(b"%PDF-")),
    ".png": ("image/png", lambda content: content.startswith(b"\x89PNG\r\n\x1a\n")),
    ".jpg": ("image/jpeg", lambda content: content.startswith(b"\xff\xd8\xff")),
    ".docx": (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        _office(_OFFICE[".docx"]),
    ),
    ".xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _office(_OFFICE[".xlsx"])),
    ".csv": ("text/csv", _text),
    ".txt": ("text/plain", _text),
}


def attachment(name: str, content: bytes, field: str = "file") -> tuple[str, Stored]:
    """A file as it may be kept beside a document, with its name cleaned of paths and of signs that are not seen.

    Raises AttachmentEmpty, AttachmentTooLarge, or AttachmentKind when its bytes are not what its name says.
    """
    if not content:
        raise AttachmentEmpty(field=field)
    if len(content) > ATTACHMENT_MB * 1024 * 1024:
        raise AttachmentTooLarge(field=field, most=ATTACHMENT_MB)
    shown = clean_name(name)
    ending = PurePosixPath(shown).suffix.lower().replace(".jpeg", ".jpg")
    content_type, fits = ATTACHMENTS.get(ending, ("", lambda _: False))
    if not fits(content):
        kinds = ", ".join(kind[1:].upper() for kind in ATTACHMENTS)
        raise AttachmentKind(field=field, kinds=kinds, name=shown)
    return shown, Stored(content, content_type)


def clean_name(name: str) -> str:
    """The last part of a path, without control signs and signs that turn the reading direction; its ending is kept."""
    last = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    seen = "".join(sign for sign in last if unicodedata.category(sign)[0] != "C").strip(". ")
    stem, dot, ending = seen.rpartition(".")
    return f"{stem[: LONGEST_NAME - 1 - len(ending)]}{dot}{ending}"[:LONGEST_NAME] if dot else seen[:LONGEST_NAME]


def disposition(name: str) -> str:
    """A header that every browser reads, whatever the name is written in."""
    plain = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "._-") else "_" for sign in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
