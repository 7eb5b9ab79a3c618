"""What EventBridge's input transformer makes of an event, offline. Pure.

The rules are those of the EventBridge User Guide (eb-transform-target-input): values are put into
the template as they are, without escaping, and a template that is no longer JSON afterwards is not
delivered at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from shnotify.errors import ShnotifyError

MAX_PATHS = 100
MAX_PATH_LENGTH = 256
MAX_TEMPLATE_LENGTH = 8192
_NAME = re.compile(r"(?!AWS)[A-Za-z0-9_-]{1,256}")
_PATH = re.compile(r"\$(\.[A-Za-z0-9_-]+(\[\d+\])*)*")
_VARIABLE = re.compile(r"<([A-Za-z0-9_.-]+)>")
_MISSING = object()


class UndeliverableError(ShnotifyError):
    """The transformed event is not JSON: EventBridge would not deliver it, and not try again."""


def check_limits(transformer: Mapping[str, Any]) -> list[str]:
    """Lists what PutTargets would refuse in an `InputTransformer` (API_InputTransformer).

    Empty when it is fine.
    """
    paths, template = transformer["InputPathsMap"], transformer["InputTemplate"]
    problems = [
        f"'{name}' is no valid variable name" for name in paths if not _NAME.fullmatch(name)
    ]
    problems += [
        f"'{path}' is no valid path (dots and array indices only, at most {MAX_PATH_LENGTH} characters)"
        for path in paths.values()
        if not _PATH.fullmatch(path) or len(path) > MAX_PATH_LENGTH
    ]
    unknown = {
        name
        for name in _VARIABLE.findall(template)
        if name not in paths and not name.startswith("aws.events.")
    }
    problems += [f"the template names <{name}>, which has no path" for name in sorted(unknown)]
    if len(paths) > MAX_PATHS:
        problems.append(f"{len(paths)} paths; at most {MAX_PATHS}")
    if not 1 <= len(template) <= MAX_TEMPLATE_LENGTH:
        problems.append(
            f"the template has {len(template):,} characters; 1 to {MAX_TEMPLATE_LENGTH:,}"
        )
    return problems


def transform(transformer: Mapping[str, Any], event: Mapping[str, Any]) -> str:
    """Returns the text that EventBridge hands to the target, quotes included.

    Raises UndeliverableError when it is not JSON.
    """
    values = {name: value_at(event, path) for name, path in transformer["InputPathsMap"].items()}
    values["aws.events.event.json"] = event
    values["aws.events.event"] = {key: value for key, value in event.items() if key != "detail"}
    values["aws.events.event.ingestion-time"] = event.get("time", _MISSING)
    pieces, in_string, position = [], False, 0
    template = transformer["InputTemplate"]
    is_object = template.lstrip().startswith(
        "{"
    )  # recorded from AWS: a quoted object is not delivered
    for variable in _VARIABLE.finditer(template):
        literal = template[position : variable.start()]
        in_string ^= _quotes(literal) % 2 == 1
        value = values.get(variable[1], _MISSING)
        if in_string and is_object and isinstance(value, dict | list):
            raise UndeliverableError(
                f"EventBridge would not deliver this event: <{variable[1]}> is no text, and stands in quotes",
                hint="take the quotes around it away",
            )
        pieces += [literal, _put(value, in_string)]
        position = variable.end()
    text = "".join([*pieces, template[position:]])
    if not _is_json_values(text):
        raise UndeliverableError(
            "EventBridge would not deliver this event: a quote, backslash, line break or other control character in a "
            "value breaks the message",
            hint="use message.format: lambda, or only fields that cannot hold such text",
        )
    return text


def value_at(event: Any, path: str) -> Any:
    """Returns the value at a path such as `$.detail.findings[0].Severity.Label`.

    A private sentinel when there is none.
    """
    for step in re.findall(r"[A-Za-z0-9_-]+|\[\d+\]", path[1:]):
        if step.startswith("["):
            index = int(step[1:-1])
            if not isinstance(event, list) or index >= len(event):
                return _MISSING
            event = event[index]
        elif isinstance(event, Mapping) and step in event:
            event = event[step]
        else:
            return _MISSING
    return event


def _put(value: Any, in_string: bool) -> str:
    """Writes one value as EventBridge does.

    A missing one is empty text, in strings and outside (recorded from AWS).
    """
    if value is _MISSING:
        return ""
    if isinstance(value, str):
        return value if in_string else f'"{value}"'
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # "EventBridge removes any internal quotes to ensure a valid string."
    return text.replace('"', "") if in_string else text


def _quotes(text: str) -> int:
    """Counts the unescaped double quotes."""
    return re.sub(r"\\.", "", text, flags=re.DOTALL).count('"')


def _is_json_values(text: str) -> bool:
    """Tells whether the text is one JSON document, or a quoted string on every line."""
    decoder, position, text = json.JSONDecoder(), 0, text.strip()
    while position < len(text):
        try:
            _, position = decoder.raw_decode(text, position)
        except ValueError:
            return False
        rest = text[position:]
        if rest and not rest[0].isspace():
            return False
        position += len(rest) - len(rest.lstrip())
    return bool(text)
