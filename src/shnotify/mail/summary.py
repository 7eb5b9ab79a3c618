"""What arrives in the inbox: the input transformer of `summary`, and every mode rendered offline.

Pure.

EventBridge puts values into a template without escaping them, and drops a message that is no valid
JSON afterwards (EventBridge User Guide, eb-transform-target-input). So `summary` carries only
fields that nobody outside can write text into: a quote in a title, or in the name of an object an
attacker uploads, must not suppress the mail about it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shnotify.errors import ShnotifyError
from shnotify.formatter.links import search_url
from shnotify.formatter.settings import Settings
from shnotify.mail.transformer import check_limits

if TYPE_CHECKING:
    from shnotify.mail.options import Message


class MessageError(ShnotifyError):
    """A message that cannot be configured so. `path` is where in the route."""

    exit_code = 2

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path


@dataclass(frozen=True)
class Field:
    """One line of a summary. `cspm`, `hub`: the JSON path in either schema's event."""

    label: str
    cspm: str
    hub: str


_ASFF = "$.detail.findings[0]."
FIELDS: dict[str, Field] = {
    "severity": Field("Severity", f"{_ASFF}Severity.Label", f"{_ASFF}severity"),
    "account": Field("Account", f"{_ASFF}AwsAccountId", f"{_ASFF}cloud.account.uid"),
    "region": Field("Region", f"{_ASFF}Region", f"{_ASFF}cloud.region"),
    # Not the name: a custom integration chooses that freely, the ARN is checked by Security Hub.
    "product": Field("Product", f"{_ASFF}ProductArn", f"{_ASFF}metadata.product.uid"),
    "control": Field(
        "Control", f"{_ASFF}Compliance.SecurityControlId", f"{_ASFF}compliance.control"
    ),
    "compliance": Field("Compliance", f"{_ASFF}Compliance.Status", f"{_ASFF}compliance.status"),
    "resource_type": Field(
        "Resource type", f"{_ASFF}Resources[0].Type", f"{_ASFF}resources[0].type"
    ),
    "resource_id": Field("Resource", f"{_ASFF}Resources[0].Id", f"{_ASFF}resources[0].uid"),
    "status": Field("Status", f"{_ASFF}Workflow.Status", f"{_ASFF}status"),
    "state": Field("State", f"{_ASFF}RecordState", f"{_ASFF}activity_name"),
    "created": Field("Created", f"{_ASFF}CreatedAt", f"{_ASFF}finding_info.created_time_dt"),
    "updated": Field("Updated", f"{_ASFF}UpdatedAt", f"{_ASFF}finding_info.modified_time_dt"),
    "finding_id": Field("Finding", f"{_ASFF}Id", f"{_ASFF}finding_info.uid"),
    "event_id": Field("Event", "$.id", "$.id"),
}
"""Everything a summary may hold."""

# resource_id is left out: it is machine-made but not machine-bound. The key of an S3 object is part
# of it, so whoever
# uploads malware as `a"b` would have the mail about it dropped. It can be asked for by name.
DEFAULT_FIELDS: tuple[str, ...] = tuple(name for name in FIELDS if name != "resource_id")

FREE_TEXT = frozenset(
    {"title", "description", "remediation", "remediation_url", "note", "tags", "resource_name"}
)
_FREE_TEXT_REASON = (
    "'{}' is free text: a quote, a backslash or a line break in it would make EventBridge drop the mail, "
    "because its input transformer does not escape; use `format: lambda`"
)


def input_transformer(
    message_format: str, source: str, *, partition: str = "aws", fields: Sequence[str] | None = None
) -> dict[str, Any] | None:
    """Builds the `InputTransformer` of a rule's target.

    None for `json` (the event as it is) and `lambda` (a function's work).

    source: "cspm", "hub" or "both". partition: for the console's address. fields: names from
    `FIELDS`, in order; None is `DEFAULT_FIELDS`. Raises MessageError for free text and for names
    that do not exist.
    """
    if message_format != "summary":
        return None
    for number, name in enumerate(fields or ()):
        if problem := _unfit(name):
            raise MessageError(f"message.fields[{number}]", problem)
    shown = DEFAULT_FIELDS if fields is None else fields
    lines = [
        _first_line(source),
        *(_line(name, source) for name in shown if name not in _IN_FIRST_LINE),
    ]
    lines += _links(source, partition)
    template = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    # The paths of what the template really names: PutTargets counts them all.
    paths = {name: path for name, path in _paths(source).items() if f"<{name}>" in template}
    transformer = {"InputPathsMap": paths, "InputTemplate": template}
    if problems := check_limits(transformer):
        raise MessageError("message.fields", "; ".join(problems))
    return transformer


def settings_of(message: Message, *, marker: str = "shnotify", topic_arn: str = "") -> Settings:
    """Builds the formatter function's configuration for a route's `message:`."""
    return Settings(
        topic_arn=topic_arn,
        language=message.language,
        time_zone=message.time_zone,
        sso_start_url=message.sso_start_url,
        subject=message.subject,
        body=message.body,
        dedup=message.dedup,
        resolved=message.resolved,
        marker=marker,
    )


Problems = list[tuple[tuple[str | int, ...], str]]


def problems(message: Message, source: str, *, marker: str, topic_arn: str) -> Problems:
    """Lists (path, what is wrong) of a route's `message:`."""
    found: Problems = []
    for name, field in type(message).model_fields.items():
        home = "summary" if name == "fields" else "lambda"
        if (
            name != "format"
            and home != message.format
            and getattr(message, name) not in (field.default, "none")
        ):
            found.append(((name,), f"goes with `format: {home}` only"))
    if message.format == "lambda":
        settings = settings_of(message, marker=marker, topic_arn=topic_arn)
        return [((name,), problem) for name, problem in settings.problems()] + found
    unfit: Problems = [
        (("fields", number), problem)
        for number, name in enumerate(message.fields or ())
        if (problem := _unfit(name))
    ]
    try:
        if not unfit:
            input_transformer(message.format, source, fields=message.fields)
    except MessageError as error:
        found.append((("fields",), error.message))
    return found + unfit


def _unfit(name: str) -> str | None:
    """Says why a summary cannot have this line, or returns None."""
    if name in FREE_TEXT:
        return _FREE_TEXT_REASON.format(name)
    return None if name in FIELDS else f"there is no field '{name}'; there are {', '.join(FIELDS)}"


def _schemas(source: str) -> tuple[str, ...]:
    return ("cspm", "hub") if source == "both" else (source,)


def _paths(source: str) -> dict[str, str]:
    """Maps each variable to its JSON path.

    A finding has the paths of one schema only; those of the other give empty text.
    """
    paths = {"hub_region": "$.region"}
    for name, field in FIELDS.items():
        for schema in _schemas(source):
            paths[f"{name}_{schema}"] = getattr(field, schema)
    return paths


def _value(name: str, source: str) -> str:
    found: dict[str, str] = {}
    for schema in _schemas(source):
        found.setdefault(getattr(FIELDS[name], schema), f"<{name}_{schema}>")
    return "".join(found.values())


_IN_FIRST_LINE = ("severity", "account", "region")


def _first_line(source: str) -> str:
    severity, account, region = (_value(name, source) for name in _IN_FIRST_LINE)
    return f"{severity} Security Hub finding in account {account}, {region}"


def _line(name: str, source: str) -> str:
    return f"{FIELDS[name].label}: {_value(name, source)}"


def _links(source: str, partition: str) -> list[str]:
    """Links to the finding in the console of the event's Region, which shows linked Regions too."""
    links = {
        schema: f"{search_url(schema, partition, '<hub_region>')}<finding_id_{schema}>"
        for schema in ("cspm", "hub")
    }
    if source != "both":
        return [f"Details: {links[source]}"]
    return [
        f"Details (Security Hub CSPM): {links['cspm']}",
        f"Details (Security Hub): {links['hub']}",
    ]
