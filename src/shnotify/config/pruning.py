"""The data less what is wrong in it, so that the rest can be looked at as a whole.

Pure; knows no model.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shnotify.config.yamlfile import Path

STAND_IN_SUBSCRIBER = {"protocol": "email", "endpoint": "stand-in@example.com"}


def without(written: dict[str, Any], wrong: Iterable[Path]) -> dict[str, Any]:
    """Returns the data without the fields at these paths, with stand-ins for required ones.

    Lists keep their length, so that the paths of what is found in the rest are those of the file.
    """
    data: dict[str, Any] = _copied(written)
    for path in wrong:
        if path[:1] == ("routes",) and len(path) > 1:
            _prune_route(data["routes"], int(path[1]), path[2:])
        elif path[:1] == ("name",):
            data["name"] = "unnamed"
        else:
            _delete(data, path[:2])
    return data


def _prune_route(routes: list[Any], number: int, path: Path) -> None:
    if not isinstance(routes[number], dict):
        routes[number] = {"name": _stand_in(number)}
    route = routes[number]
    match path:
        case () | ("name", *_):
            route["name"] = _stand_in(number)
        case ("subscribers", int(), *_) if isinstance(route.get("subscribers"), list):
            route["subscribers"][int(path[1])] = STAND_IN_SUBSCRIBER
        case _:
            _delete(route, path[:2])


def _stand_in(number: int) -> str:
    return f"stand-in-{number}"


def _delete(data: dict[str, Any], path: Path) -> None:
    """Removes a field, or the whole section when the section has no such field."""
    *sections, field = path
    node: Any = data
    for section in sections:
        node = node.get(section) if isinstance(node, dict) else None
    if isinstance(node, dict) and field in node:
        del node[str(field)]
    elif sections:
        data.pop(str(sections[0]), None)


def _copied(value: Any) -> Any:
    """Copies the data, because what YAML's aliases share must not change together."""
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value
