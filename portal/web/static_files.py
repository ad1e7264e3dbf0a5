"""Built assets from memory, already compressed, with names that change with their content."""

import mimetypes
from functools import cache
from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from portal.core.errors import NotFound
from portal.core.i18n import Language, _
from portal.parameters import FromPath
from portal.web.pages import Page

STATIC = Path(__file__).parent / "static"
FOREVER = "public, max-age=31536000, immutable"
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
# Our own files' types do not depend on what a machine knows, and reading its tables costs a start 0.1 s.
TYPES = mimetypes.MimeTypes()
TYPES.add_type("text/javascript", ".js")
TYPES.add_type("application/wasm", ".wasm")


@cache
def _content(name: str, suffix: str) -> bytes | None:
    """The bytes of one file below static/, or None; a name never leads out of the folder."""
    path = (STATIC / name).resolve()
    if not path.is_relative_to(STATIC.resolve()):
        return None
    packed = path.with_name(path.name + suffix)
    return packed.read_bytes() if packed.is_file() else None


def _file(request: Request[Any, Any, Any], name: str, cache_control: str) -> Response[bytes]:
    accepted = request.headers.get("accept-encoding", "")
    headers = {"Cache-Control": cache_control, "Vary": "Accept-Encoding"}
    kind = TYPES.guess_type(name)[0] or "application/octet-stream"
    for encoding, suffix in ENCODINGS:
        if encoding in accepted and (content := _content(name, suffix)) is not None:
            return Response(content, media_type=kind, headers=headers | {"Content-Encoding": encoding})
    if (content := _content(name, "")) is None:
        raise NotFound
    return Response(content, media_type=kind, headers=headers)


@get("/static/{name:path}", opt={"public": True}, sync_to_thread=False, include_in_schema=False)
def static_file(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """One built file."""
    hashed = name.lstrip("/").startswith("dist/")
    return _file(request, name.lstrip("/"), FOREVER if hashed else "public, max-age=3600")


@get("/sw.js", opt={"public": True}, sync_to_thread=False, include_in_schema=False)
def service_worker(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The service worker must come from the root to see every page."""
    return _file(request, "dist/sw.js", "no-cache")


@get("/manifest.webmanifest", opt={"public": True}, sync_to_thread=False, include_in_schema=False)
def manifest(page: NamedDependency[Page]) -> Response[dict[str, Any]]:
    """What a phone needs to put the portal on its home screen."""
    return Response(web_app(page.tenant_name, page.language), media_type="application/manifest+json")


def web_app(name: str, language: Language) -> dict[str, Any]:
    """The portal as an app of this name; it opens on Today."""
    return {
        "name": name,
        "short_name": name[:12],
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f4f6f7",
        "theme_color": "#0f2f3f",
        "lang": language.value,
        "icons": [{"src": "/static/icon.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any maskable"}],
        "shortcuts": [
            {"name": _("Scan"), "url": "/scan"},
            {"name": _("To confirm"), "url": "/schedules?view=to_confirm"},
        ],
    }


ROUTES: list[HTTPRouteHandler] = [static_file, service_worker, manifest]
