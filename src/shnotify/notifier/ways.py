"""What a rule that anybody made leads to, and the ways through it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

from shnotify.arns import service_of
from shnotify.aws.failures import AwsError
from shnotify.engine.resource import Live, Observed
from shnotify.frozen import frozen
from shnotify.notifier.rulecheck import Target
from shnotify.notifier.surroundings import Surroundings
from shnotify.notifier.takers import Takers
from shnotify.resources.rule import Rule


@frozen
class RuleSeen:
    """A rule and its targets; `live` is None when it is not there, or could not be read (`error`)."""

    name: str
    live: Live[Rule] | None
    targets: tuple[Target, ...]
    error: AwsError | None = None

    @property
    def pattern(self) -> Mapping[str, Any]:
        return self.live.state.event_pattern.document if self.live else {}


@frozen
class Found:
    """What the rules lead to.

    things  ARN -> what AWS showed of it
    fed     a function's ARN -> the topics that it may publish to
    around  keys, and subscribers by the topic's ARN
    takers  the ARN of a queue that a rule feeds -> what takes from it
    """

    rules: tuple[RuleSeen, ...]
    things: Mapping[str, Observed]
    fed: Mapping[str, tuple[str, ...]]
    around: Surroundings
    takers: Mapping[str, Takers] = field(default_factory=dict)

    def live(self, arn: str, kind: type[Any]) -> Any:
        found = self.things.get(arn)
        return found if isinstance(found, Live) and isinstance(found.state, kind) else None

    def topics(self, function: str) -> tuple[str, ...]:
        """Lists the topics that a function may publish to; "" when nobody knows."""
        return self.fed.get(function, ("",))

    def taking(self, queue: str) -> tuple[str, ...]:
        """Lists the functions that take from a queue."""
        takers = self.takers.get(queue, Takers())
        return tuple(dict.fromkeys(one.function for one in takers.all))


@frozen
class Way:
    """One way from a rule's target to a topic.

    function  the ARN of the function between them; "" for none
    topic     "" when nobody knows what the function publishes to
    """

    rule: RuleSeen
    target: Target
    function: str
    topic: str

    @property
    def buffer(self) -> str:
        """The ARN of the queue between rule and function; "" for none."""
        arn = str(self.target["Arn"])
        return arn if service_of(arn) == "sqs" else ""


def ways_of(found: Found, rule: RuleSeen) -> Iterator[Way]:
    """Yields the ways from a rule's targets to topics."""
    for target in rule.targets:
        arn = str(target.get("Arn", ""))
        if service_of(arn) == "sns":
            yield Way(rule, target, "", arn)
        between = (arn,) if service_of(arn) == "lambda" else found.taking(arn)
        for function in between:
            for topic in found.topics(function):
                yield Way(rule, target, function, topic)
