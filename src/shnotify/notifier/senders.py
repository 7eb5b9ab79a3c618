"""Who of a notifier sends to its dead-letter queue: its rules, functions, topics and buffer queues.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from shnotify.arns import Scope, name_in
from shnotify.config.models import Config
from shnotify.config.rules import RoutedRule, rules_by_route
from shnotify.findings.matching import matches
from shnotify.frozen import frozen
from shnotify.notifier import names


@frozen
class Senders:
    """Says who of a notifier sends to its queue, by ARN, and for which route.

    prefix  what the names of its things begin with: one that is no longer in the file is known by it
    pairs   ARN of a rule whose mail names text -> that rule, and the one that takes all it cannot carry
    """

    scope: Scope
    prefix: str
    routes: Mapping[str, str]
    pairs: Mapping[str, tuple[RoutedRule, RoutedRule]] = field(default_factory=dict)

    def route(self, arn: str) -> str | None:
        return self.routes.get(arn)

    def was_ours(self, arn: str) -> bool:
        """Tells whether the ARN is that of a thing that the file named once, or names."""
        parts = arn.split(":", 5)
        here = len(parts) == 6 and parts[3:5] == [self.scope.region, self.scope.account]
        return arn in self.routes or (here and name_in(arn).startswith(self.prefix))

    def second_rule(self, arn: str, event: Mapping[str, Any]) -> str | None:
        """Names the second rule that takes an event of a route's first rule as well.

        None when at most one of them does.
        """
        pair = self.pairs.get(arn)
        if pair is None or not all(matches(rule.pattern, event) for rule in pair):
            return None
        return pair[1].name


def senders_of(config: Config, scope: Scope) -> Senders:
    """Lists who sends to the notifier's queue."""
    found: dict[str, str] = {}
    pairs: dict[str, tuple[RoutedRule, RoutedRule]] = {}
    rules = rules_by_route(config, scope.partition)
    for route in config.routes:
        odd = {rule.part.source: rule for rule in rules[route.name] if rule.part.kind == "odd"}
        pairs |= {
            scope.rule(rule.name): (rule, odd[rule.part.source])
            for rule in rules[route.name]
            if rule.part.kind == "clean"
        }
        found |= {scope.rule(rule.name): route.name for rule in rules[route.name]}
        found[scope.topic(route.topic.name)] = route.name
        found[scope.function(names.function_name(config, route))] = route.name
        found[scope.queue(names.buffer_name(config, route))] = route.name
    return Senders(scope, f"{config.name}-", found, pairs)
