"""Every default of the file that is made from a name, written out. Knows no model."""

from __future__ import annotations

from typing import Any


def with_defaults(data: dict[str, Any]) -> dict[str, Any]:
    """Writes out every default that is made from a name."""
    name = data.get("name") if isinstance(data.get("name"), str) else "unnamed"
    return {
        **{key: value for key, value in data.items() if value is not None or key != "tags"},
        "encryption": _encryption(data.get("encryption"), str(name)),
        "dead_letter_queue": _named(data.get("dead_letter_queue"), {"name": f"{name}-dlq"}),
        **({"watchdog": None} if data.get("watchdog") is False else {}),
        **({"routes": _routes(data["routes"], str(name))} if "routes" in data else {}),
    }


def _named(value: Any, defaults: dict[str, Any]) -> Any:
    """Completes a section with defaults; `false` switches the section off."""
    if value is False:
        return None
    if value is None or value is True:
        return defaults
    return {**defaults, **value} if isinstance(value, dict) else value


def _section(value: Any, defaults: dict[str, Any]) -> Any:
    """Completes a section that every route has."""
    return value if isinstance(value, bool) else _named(value, defaults)


def _encryption(value: Any, name: str) -> Any:
    section = _named(value, {"topic_key": None, "dlq_key": None})
    if not isinstance(section, dict):
        return section
    for part, what in (("topic_key", "the SNS topics"), ("dlq_key", "the dead-letter queue")):
        short = part.removesuffix("_key")
        defaults = {
            "alias": f"alias/{name}-{short}",
            "description": f"{name}: encrypts {what} (made by shnotify)",
        }
        given = section[part]
        section[part] = (
            given if isinstance(given, dict) and "arn" in given else _named(given, defaults)
        )
        if given is False:
            section[part] = given  # one key cannot be switched off alone
    return section


def _routes(value: Any, name: str) -> Any:
    if not isinstance(value, list):
        return value
    routes: list[Any] = []
    for route in value:
        if isinstance(route, dict):
            full = f"{name}-{route.get('name')}"
            description = f"{name}: Security Hub findings to the topic of route {route.get('name')} (made by shnotify)"
            route = {
                **route,
                "topic": _section(route.get("topic"), {"name": full}),
                "rule": _section(route.get("rule"), {"name": full, "description": description}),
            }
            for part in ("findings", "message", "retry", "subscribers"):
                if part in route and route[part] is None:
                    del route[part]
            findings = route.get("findings")
            if isinstance(findings, dict) and "exclude" in findings and findings["exclude"] is None:
                route["findings"] = {
                    key: value for key, value in findings.items() if key != "exclude"
                }
        routes.append(route)
    return routes
