"""The function's configuration: one JSON document beside the code in the function's archive.

Not an environment variable: those are encrypted for one life of the role. When somebody deletes the
role and it comes back, Lambda can read them no more and every event fails, until the function
itself is made anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from difflib import get_close_matches
from typing import Any

from .fields import FIELD_NAMES

FILE = "settings.json"

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_OTHER_TYPES: dict[str, type] = {"resolved": bool, "fold_after": int, "keeps_mail": bool}
_CHOICES = {
    "language": ("en", "ja"),
    "dedup": ("none", "new-only", "notified"),
    "heartbeat": ("", "daily", "weekly"),
}


class SettingsError(ValueError):
    """The function cannot work with this configuration.

    The text says what is wrong with which field.
    """


@dataclass(frozen=True)
class Settings:
    """All that the function needs to know.

    topic_arn: where mails go; its name alone stands for a topic beside the function, so that one
    archive serves every account and Region. language: "en" or "ja". time_zone: IANA name. sso_start_url: shown
    for signing in. subject, body: templates with {named} fields (`FIELD_NAMES`; {{ and }} for
    braces); None = the built-in mail. dedup: "none"; "new-only": a finding's first event;
    "notified": whatever was mailed is marked NOTIFIED (OCSF: In Progress) in Security Hub, and
    mailed again only when that resets it. resolved: a short note when a mailed finding is resolved;
    it needs the mark of `notified`, because nothing else remembers what was mailed. marker: the
    mark's name, different for each route. fold_after: how many findings of a batch are mails of
    their own; None where events come one by one. heartbeat: how often a sign of life comes, which
    then counts what happened since the last one; rule, queue: the names of the rule and of the
    dead-letter queue ("" for none); keeps_mail: SNS puts there what it cannot deliver.
    """

    topic_arn: str = ""
    language: str = "en"
    time_zone: str = "UTC"
    sso_start_url: str | None = None
    subject: str | None = None
    body: str | None = None
    dedup: str = "none"
    resolved: bool = False
    marker: str = "shnotify"
    fold_after: int | None = None
    heartbeat: str = ""
    rule: str = ""
    queue: str = ""
    keeps_mail: bool = False

    @property
    def partition(self) -> str:
        parts = self.topic_arn.split(":")
        return parts[1] if len(parts) > 1 else "aws"

    def beside(self, function_arn: str) -> Settings:
        """The settings with the topic's whole ARN: in the function's account and Region."""
        if ":" in self.topic_arn:
            return self
        _, partition, _, region, account, _ = function_arn.split(":", 5)
        return replace(self, topic_arn=f"arn:{partition}:sns:{region}:{account}:{self.topic_arn}")

    def problems(self) -> list[tuple[str, str]]:
        """(field, what is wrong) for everything that is; empty when the function can work."""
        found = [
            (name, f"must be one of {', '.join(choices)}")
            for name, choices in _CHOICES.items()
            if getattr(self, name) not in choices
        ]
        for name in ("subject", "body"):
            found += [(name, problem) for problem in template_problems(getattr(self, name) or "")]
        if self.resolved and self.dedup != "notified":
            found.append(
                (
                    "resolved",
                    "needs dedup: notified; otherwise nothing remembers which findings were mailed",
                )
            )
        return found

    def to_text(self) -> str:
        """The document; what has its default is left out."""
        default = asdict(Settings())
        chosen = {name: value for name, value in asdict(self).items() if value != default[name]}
        return json.dumps(chosen, ensure_ascii=False, indent=2, sort_keys=True)

    @classmethod
    def load(cls, text: str | bytes) -> Settings:
        """What `to_text` wrote.

        Raises SettingsError for anything else, so that no event is handled half.
        """
        try:
            chosen = json.loads(text)
        except ValueError:
            raise SettingsError(f"{FILE} holds no JSON document") from None
        settings = cls(**_known(chosen))
        problems = settings.problems() + (
            [] if settings.topic_arn else [("topic_arn", "is missing")]
        )
        if problems:
            raise SettingsError("; ".join(f"{FILE}: {name}: {text}" for name, text in problems))
        return settings


def _known(chosen: Any) -> dict[str, Any]:
    if not isinstance(chosen, dict):
        raise SettingsError(f"{FILE} must be a JSON object")
    types = {field.name: _OTHER_TYPES.get(field.name, str) for field in fields(Settings)}
    for name, value in chosen.items():
        if name not in types:
            raise SettingsError(f"{FILE}: {name}: no such field")
        if type(value) is not types[name]:  # a bool is an int, and none here
            raise SettingsError(f"{FILE}: {name}: must be {types[name].__name__}")
    return chosen


def template_problems(template: str) -> list[str]:
    """What is wrong with a template: unknown names, stray braces; empty when it is fine."""
    found = []
    for placeholder in _PLACEHOLDER.finditer(template):
        text, name = placeholder[0], placeholder[1]
        if name is not None and name not in FIELD_NAMES:
            near = get_close_matches(name, FIELD_NAMES, 1)
            hint = f"did you mean {{{near[0]}}}?" if near else f"there are {', '.join(FIELD_NAMES)}"
            found.append(f"there is no field {{{name}}}; {hint}")
        elif text in ("{", "}"):
            found.append(f"a single {text} must be written {text * 2}")
    return list(dict.fromkeys(found))


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with its fields filled in, all at once: a value that looks like a field stays as
    it is.
    """
    return _PLACEHOLDER.sub(lambda m: m[0][:1] if m[1] is None else values[m[1]], template)
