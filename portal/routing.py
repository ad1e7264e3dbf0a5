"""How a thousand handlers are registered: Litestar's own way takes a second of every start."""

from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any

from litestar import Controller, Response, Router
from litestar.handlers import HTTPRouteHandler, route
from litestar.routes import HTTPRoute
from litestar.types import Scope
from litestar.utils import join_paths

Handlers = Sequence[type[Controller] | HTTPRouteHandler]


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
        self.routes += [HTTPRoute(path=path, route_handlers=[*found, telling]) for path, found in by_path.items()]
        self._methods = {made.path_format: ", ".join(sorted(made.methods)) for made in self.routes}

    def __deepcopy__(self, memo: dict[int, Any]) -> "Face":
        return self

    def _taken(self, value: type[Controller] | HTTPRouteHandler) -> Iterator[tuple[str, HTTPRouteHandler]]:
        """Handlers of our own, each with the path that its controller stands under."""
        if isinstance(value, HTTPRouteHandler):
            handler = copy(value)
            handler.owner = self
            yield "", handler
            return
        controller = value(owner=self)
        for made in controller.get_route_handlers():
            assert isinstance(made, HTTPRouteHandler)
            yield controller.path, made

    def _tell_methods(self, scope: Scope) -> Response[None]:
        return Response(None, status_code=204, headers={"Allow": self._methods[scope["path_template"]]})
