"""What a summary says, and the input transformers that say it. Pure.

EventBridge puts values into a template without escaping them, and drops a message that is no valid
JSON afterwards (EventBridge User Guide, eb-transform-target-input). So a summary that names what
somebody outside can write comes from a rule that lets through clean text only (`findings.guards`),
and a second rule sends all else as a summary of fields that Security Hub writes or checks itself:
a quote in a title must not suppress the mail about it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from shnotify.errors import ShnotifyError
from shnotify.findings.guards import Guard
from shnotify.formatter.links import findings_url, search_url
from shnotify.mail.fields import FIELDS, REFUSED
from shnotify.mail.summarywords import in_language
from shnotify.mail.transformer import check_limits
from shnotify.schema.model import fields_of

if TYPE_CHECKING:
    from shnotify.formatter.settings import Settings
    from shnotify.mail.options import Message


class MessageError(ShnotifyError):
    """A message that cannot be configured so. `path` is where in the route."""

    exit_code = 2

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path


# A line that may be empty stands at the end of one that never is: no mail says "Control: ".
LINES = (
    "{severity}: {title}",
    "Account: {account} {region} {account_name}",
    "Resource: {resource_id}",
    "Product: {product_name} {product}",
    "Status: {status} {control} {compliance}",
    "Created: {created}",
)
"""The mail of a route that names no fields: what is wrong, where, and since when."""
SAFE_LINES = (
    "{severity} Security Hub finding in account {account}, {region}",
    "Product: {product}",
    "Status: {status} {state} {compliance}",
    "Created: {created}",
    "Updated: {updated}",
    "Event: {event_id}",
)
"""The mail of everything that the first one cannot carry."""
FIRST_LINE = SAFE_LINES[0]
WHY_ODD = (
    "Not named here: title, resource and id. One of them is missing, or holds a quote, a backslash, a tab or "
    "a line break, which EventBridge cannot put into a mail."
)
WHY_PLAIN = "Not named here: title, resource and id. The route has one rule only (shnotify status says why)."

Kind = Literal["clean", "odd", "plain", "whole"]


class Part(NamedTuple):
    """The mails of one rule of a route.

    name         what tells the rule from the route's first, which has ""
    source       the schema of its events: cspm or hub; or the route's source, for all of them
    kind         clean: every guarded field is clean | odd: the others | plain: nothing is guarded |
                 whole: no summary
    guards       what is looked at
    transformer  the target's InputTransformer; None for none
    """

    name: str
    source: str
    kind: Kind
    guards: tuple[Guard, ...] = ()
    transformer: dict[str, Any] | None = None


def parts(
    message_format: str,
    source: str,
    *,
    partition: str = "aws",
    fields: Sequence[str] | None = None,
    guarded: bool = True,
    left_out: frozenset[str] = frozenset(),
    language: str = "en",
) -> tuple[Part, ...]:
    """Lists the parts of a route's mails; the first is the part of the route's first rule.

    Each schema has its own, for a mail has only the link of the service that its finding is in.

    source: "cspm", "hub" or "both". partition: for the console's address. fields: names from
    `FIELDS`, in order; None is `LINES`. guarded: False for one safe summary in place of two.
    left_out: fields that cannot be guarded here. language: of a summary's labels, en or ja.
    Raises MessageError for names that do not exist.
    """
    if message_format != "summary":
        return (Part("", source, "whole"),)
    for number, name in enumerate(fields or ()):
        if problem := unfit(name, source):
            raise MessageError(f"message.fields[{number}]", problem)
    found: list[Part] = []
    style = _Style(partition, language)
    for schema in ("cspm", "hub") if source == "both" else (source,):
        first = "Hub" if found else ""
        lines = _lines(fields, schema, left_out)
        texts = _texts_in(lines)
        if texts and guarded:
            texts = list(dict.fromkeys([*texts, "finding_id"]))  # the link names it
            guards = tuple(FIELDS[name].guard(schema) for name in texts)
            found.append(Part(first, schema, "clean", guards, _mail(lines, schema, style, "id")))
            safe = _mail(_safe(fields, WHY_ODD), schema, style)
            found.append(Part(f"{first}Plain", schema, "odd", guards, safe))
        else:
            lines = _safe(fields, WHY_PLAIN) if texts else lines
            found.append(Part(first, schema, "plain", (), _mail(lines, schema, style)))
    return tuple(found)


def _lines(fields: Sequence[str] | None, schema: str, left_out: frozenset[str]) -> list[str]:
    """Writes the lines that a mail of clean text has."""
    if fields is None:
        return [line for line in (_without(line, left_out) for line in LINES) if line]
    named = [name for name in fields if FIELDS[name].path(schema) and name not in left_out]
    return [FIRST_LINE, *(_labelled(name) for name in named if f"{{{name}}}" not in FIRST_LINE)]


def _without(line: str, left_out: frozenset[str]) -> str:
    """Takes fields out of a line; "" when no other is left."""
    kept = re.sub(r" ?\{(\w+)\}", lambda found: "" if found[1] in left_out else found[0], line)
    return kept if "{" in kept else ""


def _safe(fields: Sequence[str] | None, why: str) -> list[str]:
    """Writes the lines of a mail that names no text, and why it does not."""
    if fields is None:
        return [SAFE_LINES[0], why, *SAFE_LINES[1:]]
    named = [name for name in fields if not FIELDS[name].text and f"{{{name}}}" not in FIRST_LINE]
    return [FIRST_LINE, why, *(_labelled(name) for name in named)]


def _labelled(name: str) -> str:
    field = FIELDS[name]
    return f"{field.label}{' (if any)' if field.optional else ''}: {{{name}}}"


def _texts_in(lines: Sequence[str]) -> list[str]:
    return [name for line in lines for name in _names(line) if FIELDS[name].text]


def _names(line: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", line)


class _Style(NamedTuple):
    """What all mails of a route have: the partition of their links, and their language."""

    partition: str
    language: str


def _mail(
    lines: Sequence[str], schema: str, style: _Style, link: Literal["id", "list"] = "list"
) -> dict[str, Any]:
    """Builds the InputTransformer of these lines and a link."""
    told = [in_language(line, style.language) for line in lines]
    written = [re.sub(r"\{(\w+)\}", r"<\1>", line) for line in told]
    details = in_language("Details: ", style.language)
    written.append(f"{details}{_link(schema, style.partition, link)}")
    template = "\n".join(json.dumps(line, ensure_ascii=False) for line in written)
    paths = {name: field.path(schema) for name, field in FIELDS.items() if field.path(schema)}
    paths["hub_region"] = "$.region"
    # The paths of what the template really names: PutTargets counts them all.
    named = {name: path for name, path in paths.items() if f"<{name}>" in template}
    transformer = {"InputPathsMap": named, "InputTemplate": template}
    if problems := check_limits(transformer):
        raise MessageError("message.fields", "; ".join(problems))
    return transformer


def _link(schema: str, partition: str, link: Literal["id", "list"]) -> str:
    """Writes a link to the console of the event's Region, which shows linked Regions too.

    An id is its end, so that one with characters of its own cuts nothing but itself; EventBridge
    cannot percent-encode. Where the id may break the mail the link is to all findings.
    """
    if link == "id":
        return f"{search_url(schema, partition, '<hub_region>')}<finding_id>"
    return findings_url(schema, partition, "<hub_region>")


def settings_of(message: Message, *, marker: str = "shnotify", topic_arn: str = "") -> Settings:
    """Builds the formatter function's configuration for a route's `message:`."""
    from shnotify.formatter.settings import Settings

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
        fold_after=message.fold.after if message.fold else None,
    )


_HOMES = {"fields": ("summary",), "language": ("summary", "lambda")}
"""A field of `message:` -> the formats it goes with; all others go with lambda."""
Problems = list[tuple[tuple[str | int, ...], str]]


def problems(message: Message, source: str, *, marker: str, topic_arn: str) -> Problems:
    """Lists (path, what is wrong) of a route's `message:`."""
    found: Problems = []
    for name, field in fields_of(type(message)).items():
        homes = _HOMES.get(name, ("lambda",))
        if (
            name != "format"
            and message.format not in homes
            and getattr(message, name) not in (field.default, "none")
        ):
            found.append(((name,), f"goes with `format: {homes[-1]}` only"))
    if message.format == "lambda":
        settings = settings_of(message, marker=marker, topic_arn=topic_arn)
        return [((name,), problem) for name, problem in settings.problems()] + found
    wrong: Problems = [
        (("fields", number), problem)
        for number, name in enumerate(message.fields or ())
        if (problem := unfit(name, source))
    ]
    try:
        if not wrong:
            parts(message.format, source, fields=message.fields, language=message.language)
    except MessageError as error:
        found.append((("fields",), error.message))
    return found + wrong


def unfit(name: str, source: str) -> str | None:
    """Says why a summary cannot have this line, or returns None."""
    if name in REFUSED:
        return (
            f"'{name}' cannot be a line of a summary: EventBridge does not escape, and drops a mail that a quote or "
            "a line break breaks; use `format: lambda`"
        )
    if name not in FIELDS:
        return f"there is no field '{name}'; there are {', '.join(FIELDS)}"
    if source in ("cspm", "hub") and not FIELDS[name].path(source):
        return f"findings of Security Hub CSPM have no '{name}'; take resource_id"
    return None
