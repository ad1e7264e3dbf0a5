"""Photos and documents: kept in memory, photos made smaller as Telegram does."""

import mimetypes
import re
from io import BytesIO
from typing import NamedTuple

from portal.dev.telegram.refusals import bad
from portal.dev.telegram.world import File, Media, World, new_id

PHOTO_SIDES = (320, 1280)  # a photo comes in these sizes, never larger than it was
MOST_PHOTO_BYTES = 10 * 1024 * 1024
MOST_DOCUMENT_BYTES = 50 * 1024 * 1024
MOST_DOWNLOAD_BYTES = 20 * 1024 * 1024
UNTYPED = "application/octet-stream"


class Upload(NamedTuple):
    """A file in the body of a call."""

    name: str
    content: bytes
    mime: str


def photo(world: World, content: bytes) -> Media:
    """The sizes of a photo, compressed again and without what the camera wrote into it."""
    from PIL import Image, UnidentifiedImageError

    if len(content) > MOST_PHOTO_BYTES:
        raise bad("file is too big for a photo")
    try:
        with Image.open(BytesIO(content)) as opened:
            opened.load()
            image = opened.convert("RGB")
    except (UnidentifiedImageError, OSError):
        raise bad("IMAGE_PROCESS_FAILED") from None
    width, height = image.size
    if width + height > 10_000 or max(width, height) > 20 * min(width, height):
        raise bad("PHOTO_INVALID_DIMENSIONS")
    sides = [side for side in PHOTO_SIDES if side < max(width, height)] + [min(max(width, height), PHOTO_SIDES[-1])]
    files = []
    for side in sorted(set(sides)):
        small = image.copy()
        small.thumbnail((side, side))
        out = BytesIO()
        small.save(out, "JPEG", quality=85)
        files.append(_kept(world, Upload("photo.jpg", out.getvalue(), "image/jpeg"), "photos", *small.size))
    return Media("photo", files)


def document(world: World, upload: Upload) -> Media:
    """Any file, byte for byte."""
    if not upload.content:
        raise bad("file must be non-empty")
    if len(upload.content) > MOST_DOCUMENT_BYTES:
        raise bad("file is too big")
    return Media("document", [_kept(world, upload, "documents")])


def known(world: World, kind: str, file_id: str) -> Media:
    """A file that is here already, sent again by its id."""
    file = world.files.get(file_id)
    if file is None:
        raise bad("wrong remote file identifier specified: can't unserialize it")
    if kind == "photo":
        if not file.path.startswith("photos/"):
            raise bad("can't use file of type Document as Photo")
        return Media("photo", [file])
    return Media("document", [file])


def _kept(world: World, upload: Upload, folder: str, width: int = 0, height: int = 0) -> File:
    number = len(world.files)
    suffix = re.sub(r"[^.a-zA-Z0-9]", "", "." + upload.name.rpartition(".")[2]) if "." in upload.name else ""
    mime = upload.mime if upload.mime not in {"", UNTYPED} else mimetypes.guess_type(upload.name)[0] or UNTYPED
    path = f"{folder}/file_{number}{suffix}"
    name = upload.name if folder == "documents" else None
    file = File(f"FILE{new_id()}", new_id()[:12], path, upload.content, mime, name, width, height)
    world.files[file.id] = file
    return file
