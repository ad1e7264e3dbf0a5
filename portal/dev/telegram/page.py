"""The page that looks like a phone. `GET /<bot>?start=<payload>` opens it as a link to t.me would open the app."""

from pathlib import Path

from aiohttp import web

STATIC = Path(__file__).parent / "static"
FILES = {"phone.css": "text/css", "phone.js": "text/javascript", "words.js": "text/javascript"}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def routes() -> list[web.RouteDef]:
    return [
        web.get("/", phone),
        web.get("/static/{name}", static),
        web.get("/{bot:[A-Za-z]\\w{4,31}}", phone),
    ]


async def phone(request: web.Request) -> web.Response:
    """One page for all; the script reads the address."""
    return _file("phone.html", "text/html")


async def static(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name not in FILES:
        raise web.HTTPNotFound
    return _file(name, FILES[name])


def _file(name: str, kind: str) -> web.Response:
    text = (STATIC / name).read_text("utf-8")
    return web.Response(text=text, content_type=kind, charset="utf-8", headers=HEADERS)
