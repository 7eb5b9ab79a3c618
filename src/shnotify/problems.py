"""Everything that is wrong in a configuration file, each with its position and in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from shnotify import crosschecks
from shnotify.errors import ConfigError, ConfigProblem
from shnotify.fields import shown
from shnotify.yamlfile import MAX_PROBLEMS, Document, Path, dotted

if TYPE_CHECKING:
    from shnotify.config import Config

_KEYS = ("managed", "existing")
_ALTERNATIVES: dict[Any, tuple[str, ...]] = {
    "topic_key": _KEYS,
    "dlq_key": _KEYS,
    "products": ("names", "thresholds", "any"),
}
"""Fields that are written in several ways -> the names pydantic's locations have for them (the models' `Tag`s)."""


def explain(document: Document, model: type[Config]) -> Config:
    """The document as a complete configuration. Raises `ConfigError` with every problem at once."""
    if not isinstance(document.data, dict):
        shape = document.problem((1, 1), "", "the file must be a mapping that begins with `name: ...`")
        raise ConfigError([*document.problems, shape])
    problems = [*document.problems, *(_problem(document, *one) for one in dict.fromkeys(_found(document.data, model)))]
    lines = {problem.line for problem in problems}
    problems += [
        document.problem(position, "", "looks like an AWS access key: take it out of the file (and revoke it)")
        for position in crosschecks.secret_lines(document.text)
        if position[0] not in lines
    ]
    if problems:
        raise ConfigError(problems[:MAX_PROBLEMS])
    return model.model_validate(with_defaults(document.data))


def _found(written: dict[str, Any], model: type[Config]) -> Iterator[tuple[Path, str, bool]]:
    """Path, message, and whether it is about the key rather than the value."""
    data = with_defaults(written)
    yield from ((path, message, False) for path, message in crosschecks.secrets(written))
    yield from ((path, message, True) for path, message in crosschecks.tags(written.get("tags")))
    yield from ((path, message, False) for path, message in crosschecks.contradictions(data, written))
    numbers = list(range(len(data["routes"]))) if isinstance(data.get("routes"), list) else []
    try:
        config = model.model_validate(data)
    except ValidationError as error:
        details = error.errors(include_url=False)
        told = [detail for detail in details if not _derived(written, detail)] or details
        yield from (_spoken(written, model, detail) for detail in told[:MAX_PROBLEMS])
        data, numbers = _without(data, [detail["loc"] for detail in details])
        try:
            config = model.model_validate(data)
        except ValidationError:
            return
    for path, message in crosschecks.whole(config):
        yield (("routes", numbers[int(path[1])], *path[2:]) if path[0] == "routes" else path), message, False


def _without(data: dict[str, Any], wrong: list[tuple[str | int, ...]]) -> tuple[dict[str, Any], list[int]]:
    """The data less what is wrong in it, so that the rest can be looked at as a whole; the routes that stay."""
    bad = {loc[:3] if loc[0] == "routes" else loc[:1] for loc in wrong}
    kept = {name: value for name, value in data.items() if (name,) not in bad}
    kept |= {"name": "unnamed"} if ("name",) in bad else {}
    kept |= {name: None for name in ("encryption", "dead_letter_queue") if (name,) in bad}
    if "routes" not in kept:
        return kept, []
    routes = []
    stay = []
    for number, route in enumerate(data["routes"]):
        fields = {str(loc[2]) if len(loc) > 2 else "name" for loc in bad if loc[:2] == ("routes", number)}
        if not fields & {"name", "topic", "rule"}:
            routes.append({name: value for name, value in route.items() if name not in fields})
            stay.append(number)
    kept["routes"] = routes
    return kept, stay


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
        **{key: value for key, value in data.items() if value is not None or key != "tags"},
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
            findings = route.get("findings")
            if isinstance(findings, dict) and "exclude" in findings and findings["exclude"] is None:
                route["findings"] = {key: value for key, value in findings.items() if key != "exclude"}
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
