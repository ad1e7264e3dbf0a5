"""How a thousand handlers are registered: Litestar's own way takes more than a second of every start."""

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from types import MethodType
from typing import Any

from litestar import Controller, Litestar, Response, Router
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler, route
from litestar.routes import BaseRoute, HTTPRoute
from litestar.types import ControllerRouterHandler, Message, Scope, Send
from litestar.utils import join_paths, normalize_path

Handlers = Sequence[type[Controller] | HTTPRouteHandler]
_IN_EACH_CONTROLLER = frozenset(dir(Controller))


class PlannedRoute(HTTPRoute):
    """A route that finds out at its first request what its handlers take: most are not asked between two starts."""

    unplanned_in: Litestar | None = None
    _by_method: dict[Any, Any]

    @property
    def route_handler_map(self) -> dict[Any, Any]:
        """By method: the handler, and where its parameters come from."""
        if self.unplanned_in is not None:
            app, self.unplanned_in = self.unplanned_in, None
            self._by_method = {}
            for handler in self.route_handlers:
                handler.on_registration(app)
            self.create_handler_map()
        return self._by_method

    @route_handler_map.setter
    def route_handler_map(self, value: dict[Any, Any]) -> None:
        self._by_method = value

    def name_methods(self) -> None:
        """What the application's router and its description of the interface need to know of the route."""
        self._by_method = {
            method: (handler, None) for handler in self.route_handlers for method in handler.http_methods
        }


class Face(Router):
    """One face of the portal, with a route for each path and one answer to OPTIONS for all of them.

    A plain Router makes the routes anew in each layer (controller, router, application), searches all of them for each
    path, adds a handler of its own for OPTIONS to each, and is copied when it is registered. A face is registered once.
    """

    def __init__(self, path: str, route_handlers: Handlers, **options: Any) -> None:
        super().__init__(path, route_handlers=(), **options)
        by_path: dict[str, list[HTTPRouteHandler]] = {}
        for value in route_handlers:
            for under, handler in self._taken(value):
                for own in handler.paths:
                    by_path.setdefault(join_paths([self.path, under, own]), []).append(handler)
        telling = route("/", http_method="OPTIONS", include_in_schema=False, sync_to_thread=False)(self._tell_methods)
        telling.owner = self
        self.planned = [PlannedRoute(path=path, route_handlers=[*found, telling]) for path, found in by_path.items()]
        self.routes += self.planned
        self._methods = {made.path_format: allowed(made.methods) for made in self.planned}

    def _taken(self, value: type[Controller] | HTTPRouteHandler) -> Iterator[tuple[str, HTTPRouteHandler]]:
        """Handlers of our own, each with the path that its controller stands under."""
        if isinstance(value, HTTPRouteHandler):
            handler = copy(value)
            handler.owner = self
            yield "", handler
            return
        controller = value(owner=self)
        found = [getattr(value, name) for name in dir(value) if name not in _IN_EACH_CONTROLLER]
        for handler in sorted((one for one in found if isinstance(one, HTTPRouteHandler)), key=str):
            own = copy(handler)
            own(MethodType(handler.fn, controller))
            own.owner = controller
            yield controller.path, own

    def _tell_methods(self, scope: Scope) -> Response[None]:
        return Response(None, status_code=204, headers={"Allow": self._methods[scope["path_template"]]})


class Unserved(Router):
    """Where the framework would put pages of its own accord, one in English for all that lies beneath: none are."""

    def register(self, value: ControllerRouterHandler) -> list[BaseRoute]:
        """Nothing comes of it."""
        return []


def allowed(methods: Iterable[str]) -> str:
    """Methods as the header `Allow` tells them. What answers GET answers HEAD."""
    told = set(map(str, methods))
    return ", ".join(sorted(told | {"HEAD"} if "GET" in told else told))


def without_body(send: Send) -> Send:
    """Sends what comes before a body and says that this was all; a stream then stops as if its reader had left."""

    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return send_head


class Portal(Litestar):
    """An application of faces."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """HEAD is answered wherever GET is, as GET: by the same handler, behind the same recognition and refusals."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope, send = {**scope, "method": "GET"}, without_body(send)  # the server keeps the scope that it gave
        await super().__call__(scope, receive, send)

    def methods_at(self, path: str) -> str:
        """What a path answers to, as `Allow` says it; empty where nothing is. Every route answers OPTIONS."""
        try:
            *_, template = self.asgi_router.handle_routing(path=normalize_path(path), method="OPTIONS")
        except HTTPException:
            return ""
        found = (route for route in self.routes if isinstance(route, HTTPRoute) and route.path_format == template)
        return allowed(method for route in found for method in route.methods)

    def register(self, value: ControllerRouterHandler) -> None:  # type: ignore[override]  # as Litestar's own
        """A face's routes are taken as they are: no other has their paths."""
        if not isinstance(value, Face):
            super().register(value)
            return
        value.owner = self
        self.routes += value.routes
        for each in value.planned:
            each.name_methods()
            for plugin in self.plugins.receive_route:
                plugin.receive_route(each)
        self.asgi_router.construct_routing_trie()
        for each in value.planned:
            each.unplanned_in = self
