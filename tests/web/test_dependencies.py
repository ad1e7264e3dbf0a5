"""What a handler asks for comes one after the other: resolved together, Litestar starts a group of tasks for it."""

from litestar.routes import HTTPRoute

from portal.app import create_app
from portal.core.settings import Settings


def test_no_handler_resolves_two_dependencies_in_a_group_of_tasks(database: Settings) -> None:
    together: dict[str, list[str]] = {}
    for route in create_app(database).routes:
        assert isinstance(route, HTTPRoute)
        for method, (handler, model) in route.route_handler_map.items():
            for batch in model.dependency_batches:
                if len(batch) > 1:
                    together[f"{method} {handler}"] = sorted(dependency.key for dependency in batch)
    assert together == {}
