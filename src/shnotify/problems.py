"""Everything that is wrong in a configuration file, each with its position and in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from shnotify.arns import Scope
from shnotify.errors import ConfigError, ConfigProblem
from shnotify.fields import MAX_ROUTES, MAX_SUBSCRIBERS, shown, tag_problem
from shnotify.yamlfile import MAX_PROBLEMS, Document, Path, dotted

if TYPE_CHECKING:
    from shnotify.config import Config, Route

_SECRET = re.compile(r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])")
_KEYS = ("managed", "existing")
_ALTERNATIVES: dict[Any, tuple[str, ...]] = {
    "topic_key": _KEYS,
    "dlq_key": _KEYS,
    "products": ("names", "thresholds", "any"),
}
"""Fields that are written in several ways -> the names pydantic's locations have for them (the models' `Tag`s)."""
MAX_PAIRS = 10_000
Found = tuple[Path, str]


def explain(document: Document, model: type[Config]) -> Config:
    """The document as a complete configuration. Raises `ConfigError` with every problem at once."""
    if not isinstance(document.data, dict):
        raise ConfigError([document.problem((1, 1), "", "the file must be a mapping that begins with `name: ...`")])
    data = with_defaults(document.data)
    found: list[tuple[Path, str, bool]] = [(path, message, False) for path, message in _secrets(document.data, ())]
    found += [(path, message, True) for path, message in _tags(document.data.get("tags"))]
    found += [(path, message, False) for path, message in _given(data, document.data)]
    config: Config | None = None
    try:
        config = model.model_validate(data)
    except ValidationError as error:
        details = error.errors(include_url=False)
        written = [detail for detail in details if not _derived(document.data, detail)] or details
        found += [_spoken(document.data, model, detail) for detail in written[:MAX_PROBLEMS]]
    if config is not None:
        found += [(path, message, False) for path, message in _whole(config)]
    if found or config is None:
        raise ConfigError([_problem(document, *one) for one in [*dict.fromkeys(found)][:MAX_PROBLEMS]])
    return config


def _problem(document: Document, path: Path, message: str, at_key: bool) -> ConfigProblem:
    return document.problem(document.where(path, key=at_key), dotted(path), message)


def _derived(data: Any, detail: Any) -> bool:
    """Whether this is about a default made from a name: then the name itself is wrong, which is told already."""
    loc = detail["loc"]
    made = detail["type"] == "value_error" and loc[-1] in ("name", "alias", "description")
    return made and _real_path(data, loc, missing=False)[-1:] != loc[-1:]


# -- defaults that depend on names ---------------------------------------------------------------------------------


def with_defaults(data: dict[str, Any]) -> dict[str, Any]:
    """The data with every default that is made from a name written out."""
    name = data.get("name") if isinstance(data.get("name"), str) else "unnamed"
    return {
        **data,
        "encryption": _encryption(data.get("encryption"), str(name)),
        "dead_letter_queue": _named(data.get("dead_letter_queue"), {"name": f"{name}-dlq"}),
        **({"routes": _routes(data["routes"], str(name))} if "routes" in data else {}),
    }


def _named(value: Any, defaults: dict[str, Any]) -> Any:
    """A section with defaults; `false` is none of it."""
    if value is False:
        return None
    if value is None or value is True:
        return defaults
    return {**defaults, **value} if isinstance(value, dict) else value


def _section(value: Any, defaults: dict[str, Any]) -> Any:
    """A section that every route has."""
    return value if isinstance(value, bool) else _named(value, defaults)


def _encryption(value: Any, name: str) -> Any:
    section = _named(value, {"topic_key": None, "dlq_key": None})
    if not isinstance(section, dict):
        return section
    for part, what in (("topic_key", "the SNS topics"), ("dlq_key", "the dead-letter queue")):
        short = part.removesuffix("_key")
        defaults = {"alias": f"alias/{name}-{short}", "description": f"{name}: encrypts {what} (made by shnotify)"}
        given = section[part]
        section[part] = given if isinstance(given, dict) and "arn" in given else _named(given, defaults)
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
        routes.append(route)
    return routes


# -- what pydantic finds, in words ---------------------------------------------------------------------------------


def _spoken(data: Any, model: type[BaseModel], detail: Any) -> tuple[Path, str, bool]:
    path = _real_path(data, detail["loc"], missing=detail["type"] == "missing")
    kind, context, value = detail["type"], detail.get("ctx", {}), detail["input"]
    match kind:
        case "missing":
            return path, "is required", False
        case "extra_forbidden":
            close = get_close_matches(str(path[-1]), _siblings(model, path), n=1, cutoff=0.5)
            if close and close[0] == path[-1]:
                return path, "cannot stand here: it belongs to the other way to write this", True
            return path, f"unknown field{f': did you mean {close[0]!r}?' if close else ''}", True
        case "value_error":
            return path, str(context["error"]), False
        case "literal_error":
            return path, f"must be one of {context['expected']}{_suggest(value, context['expected'])}", False
        case "string_type":
            return path, f"must be text{_quoting(value)}", False
        case "bool_type":
            return path, f"must be true or false, not {_shown(value)}", False
        case "int_type" | "int_parsing" | "int_from_float":
            return path, f"must be a whole number, not {_shown(value)}", False
        case "greater_than_equal" | "less_than_equal":
            sign = "at least" if kind == "greater_than_equal" else "at most"
            return path, f"must be {sign} {context.get('ge', context.get('le'))}", False
        case "tuple_type" | "list_type":
            return path, f"must be a list, not {_kind(value)}", False
        case "dict_type" | "model_type" | "model_attributes_type":
            return path, f"must be a mapping, not {_kind(value)}", False
        case "none_required":
            return path, f"must be a list, a mapping or `any`, not {_kind(value)}", False
        case "too_short" | "string_too_short":
            return path, "must not be empty", False
        case "too_long" | "string_too_long":
            return path, f"is too long: at most {context.get('max_length')}", False
    return path, str(detail["msg"]), False


def _real_path(data: Any, loc: tuple[str | int, ...], *, missing: bool) -> Path:
    """pydantic's location less the parts that are names of alternatives, not of anything in the file."""
    path: list[str | int] = []
    for number, part in enumerate(loc):
        if number and part in _ALTERNATIVES.get(loc[number - 1], ()):
            continue
        if isinstance(data, dict) and part in data:
            data = data[str(part)]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:  # a field that the file does not have: nothing of it is
            return (*path, part) if missing else tuple(path)
        path.append(part)
    return tuple(path)


def _siblings(model: type[BaseModel], path: Path) -> list[str]:
    """The known fields at the place of an unknown one."""
    names: dict[str, Any] = {"": model}
    for part in path[:-1]:
        if isinstance(part, str):
            names = {"": _model_of(names[""], part)}
    found = names[""]
    return (
        [name for one in found if one for name in one.model_fields]
        if isinstance(found, list)
        else list(found.model_fields)
    )


def _model_of(model: Any, name: str) -> Any:
    """The model, or the list of models, that a field holds."""
    models = model if isinstance(model, list) else [model]
    fields = [one.model_fields[name] for one in models if name in one.model_fields]
    return [found for field in fields for found in _models_in(field.annotation)]


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models_in(argument)
    if hasattr(annotation, "__origin__") and not getattr(annotation, "__args__", ()):
        yield from _models_in(annotation.__origin__)


def _suggest(value: Any, expected: str) -> str:
    names = re.findall(r"'([^']*)'", expected)
    close = get_close_matches(str(value).upper(), [n.upper() for n in names], n=1, cutoff=0.6)
    spelled = [n for n in names if n.upper() in close]
    return f": did you mean {spelled[0]}?" if spelled else f", not {_shown(value)}"


def _quoting(value: Any) -> str:
    """What to write instead of a value that YAML took for something else."""
    if isinstance(value, bool | float):
        return ": write it in quotes"  # as it stands in the file: True, 1.10
    return f': write it in quotes, "{value}"' if isinstance(value, int) else f", not {_kind(value)}"


def _shown(value: Any) -> str:
    if isinstance(value, str | int | float):
        return str(value).lower() if isinstance(value, bool) else shown(value)
    return _kind(value)


def _kind(value: Any) -> str:
    kinds: list[tuple[type, str]] = [(bool, "true or false"), (int, "a number"), (float, "a number"), (str, "text")]
    kinds += [(dict, "a mapping"), (list, "a list"), (tuple, "a list"), (type(None), "nothing")]
    return next((words for kind, words in kinds if isinstance(value, kind)), "this")


# -- what only the whole file shows ---------------------------------------------------------------------------------


def _secrets(value: Any, path: Path) -> Iterator[Found]:
    if isinstance(value, str) and _SECRET.search(value):
        yield path, "looks like an AWS access key: the file has no place for secrets, take it out (and revoke it)"
    elif isinstance(value, dict):
        for key, item in value.items():
            if _SECRET.search(key):
                yield (*path, key), "looks like an AWS access key: the file has no place for secrets"
            yield from _secrets(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _secrets(item, (*path, number))


def _tags(tags: Any) -> Iterator[Found]:
    for key, value in tags.items() if isinstance(tags, dict) else ():
        if isinstance(value, str) and (problem := tag_problem(key, value)):
            yield ("tags", key), problem


def _given(data: dict[str, Any], written: dict[str, Any]) -> Iterator[Found]:
    """What contradicts itself in the routes, whether or not all of it can be understood."""
    routes = data.get("routes")
    if not isinstance(routes, list) or len(routes) > MAX_ROUTES:
        return
    known: set[tuple[str, str]] = set()
    for i, route in enumerate(routes):
        if not isinstance(route, dict):
            continue
        here: Path = ("routes", i)
        own = _name(route, "route")
        told = own is None or ("route", own) in known
        for part in ("route", "topic", "rule"):
            name = _name(route, part)
            if name is None or (told and part != "route" and _name(written["routes"][i], part) is None):
                continue  # a default made from a name whose mistake is told already
            if (part, name) in known:
                path = (*here, "name") if part == "route" else (*here, part, "name")
                yield path, f"this {part} name is used twice: {shown(name)}"
            known.add((part, name))
        yield from ((here + path, message) for path, message in _subscribed_twice(route.get("subscribers")))
        if isinstance(route.get("pattern"), dict):
            for other in ("source", "findings"):
                if other in route:
                    yield (*here, other), "cannot stand beside `pattern`: keep one of them"


def _name(route: dict[str, Any], part: str) -> str | None:
    section = route if part == "route" else route.get(part)
    name = section.get("name") if isinstance(section, dict) else None
    return name if isinstance(name, str) else None


def _subscribed_twice(subscribers: Any) -> Iterator[Found]:
    if not isinstance(subscribers, list) or len(subscribers) > MAX_SUBSCRIBERS:
        return
    seen: set[tuple[str, str]] = set()
    for number, one in enumerate(subscribers):
        one = {"protocol": "email", "endpoint": one} if isinstance(one, str) else one
        if not isinstance(one, dict):
            continue
        protocol, endpoint = one.get("protocol"), one.get("endpoint")
        if not isinstance(protocol, str) or not isinstance(endpoint, str):
            continue
        identity = protocol, endpoint.lower() if protocol.startswith("email") else endpoint
        if identity in seen:
            yield ("subscribers", number), f"{shown(endpoint)} is listed twice"
        seen.add(identity)


def _whole(config: Config) -> Iterator[Found]:
    ids: dict[str, Route] = {}
    for i, route in enumerate(config.settled().routes):
        first = ids.setdefault(route.id, route)
        if first is not route and first.name != route.name:
            yield ("routes", i, "name"), f"{first.name!r} and {route.name!r} give the same id {route.id!r}: rename one"
        yield from ((("routes", i, *path), message) for path, message in _pattern(route))
        yield from ((("routes", i, "message", name), text) for name, text in _message(config, route))
    yield from _keys(config)


def _pattern(route: Route) -> Iterator[Found]:
    """What EventBridge could not say, or would not take."""
    from shnotify.pattern import FIELDS, MAX_SIZE, PatternError, check_size, event_pattern

    pairs = [(getattr(route.findings, name) or (), getattr(route.findings.exclude, name) or ()) for name in FIELDS]
    size = sum(len(value) + 3 for pair in pairs for values in pair for value in values)
    # Beyond all abbreviating, and before anything is compared with everything else.
    if size > MAX_SIZE * 5 // 4 or any(len(wanted) * len(unwanted) > MAX_PAIRS for wanted, unwanted in pairs):
        yield ("findings",), f"the lists are far too long: an event pattern has at most {MAX_SIZE:,} characters"
        return
    source = route.source
    try:
        check_size(
            event_pattern(source, route.findings, None, route.pattern), "pattern" if route.pattern else "findings"
        )
    except PatternError as error:
        for path, message in error.problems:
            parts = (part for part in re.split(r"[.\[\]]+", path) if part)
            yield tuple(int(part) if part.isdigit() else part for part in parts), message


def _message(config: Config, route: Route) -> Iterator[tuple[str, str]]:
    from shnotify.message import problems

    if route.pattern and route.message.resolved:
        yield "resolved", "cannot stand beside `pattern`: the rule must let resolved findings through as well"
    if route.pattern and route.message.fields:
        yield "fields", "cannot stand beside `pattern`: its events may be of any shape, so they are sent whole"
    arn = Scope("aws-us-gov", "us-gov-west-1", "123456789012").topic(route.topic.name)  # as long as they get
    yield from problems(route.message, route.source, marker=config.marker(route), topic_arn=arn)


def _keys(config: Config) -> Iterator[Found]:
    if config.encryption is None:
        return
    keys = {"topic_key": config.encryption.topic_key, "dlq_key": config.encryption.dlq_key}
    aliases = [getattr(key, "alias", None) for key in keys.values()]
    if aliases[0] is not None and aliases[0] == aliases[1]:
        yield ("encryption", "dlq_key", "alias"), f"both keys have the alias {aliases[0]!r}: each needs its own"
    for part, key in keys.items():
        arn = getattr(key, "arn", None)
        if arn and config.region and arn.split(":")[3] != config.region:
            yield ("encryption", part, "arn"), f"the key is in {arn.split(':')[3]}, the notifier in {config.region}"
