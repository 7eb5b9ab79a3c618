"""Who of a notifier sends to its dead-letter queue: its rules, functions, topics and buffer queues.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shnotify.arns import Scope, name_in
from shnotify.config.models import Config
from shnotify.config.rules import rules_by_route
from shnotify.notifier import names


@dataclass(frozen=True)
class Senders:
    """Says who of a notifier sends to its queue, by ARN, and for which route.

    prefix  what the names of its things begin with: one that is no longer in the file is known by it
    """

    scope: Scope
    prefix: str
    routes: Mapping[str, str]

    def route(self, arn: str) -> str | None:
        return self.routes.get(arn)

    def was_ours(self, arn: str) -> bool:
        """Tells whether the ARN is that of a thing that the file named once, or names."""
        parts = arn.split(":", 5)
        here = len(parts) == 6 and parts[3:5] == [self.scope.region, self.scope.account]
        return arn in self.routes or (here and name_in(arn).startswith(self.prefix))


def senders_of(config: Config, scope: Scope) -> Senders:
    """Lists who sends to the notifier's queue."""
    found: dict[str, str] = {}
    rules = rules_by_route(config, scope.partition)
    for route in config.routes:
        found |= {scope.rule(rule.name): route.name for rule in rules[route.name]}
        found[scope.topic(route.topic.name)] = route.name
        found[scope.function(names.function_name(config, route))] = route.name
        found[scope.queue(names.buffer_name(config, route))] = route.name
    return Senders(scope, f"{config.name}-", found)
