"""What the commands that talk to AWS have in common: the file, the gateway, the graph, the screen."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

from shnotify.aws.failures import AwsError, StopError
from shnotify.aws.gateway import Aws
from shnotify.aws.progress import Noted
from shnotify.config.load import Loaded
from shnotify.config.models import Config
from shnotify.engine.events import Event
from shnotify.engine.execute import Outcome
from shnotify.engine.graph import Graph
from shnotify.engine.observe import observe
from shnotify.engine.plan import Observation, Plan, Step, contradictions
from shnotify.engine.values import to_json
from shnotify.errors import ShnotifyError
from shnotify.escaping import escaped_line
from shnotify.findings.patternsyntax import compact
from shnotify.notifier import leftovers, names
from shnotify.notifier import plain as without_second_rule
from shnotify.notifier import preconditions as premises
from shnotify.notifier.desired import build
from shnotify.notifier.surroundings import Asking, Surroundings
from shnotify.resources import lookup
from shnotify.resources.rule import Rule
from shnotify.schema.regions import region_doubt
from shnotify.terminal.screen import Screen

Work = Generator[str | None, None, int]
"""A command at work for one `Session`. What it does before its first `yield` changes nothing; it yields
the question to be asked, or None when nobody need be, and returns its exit code.
"""
LOOK_AGAIN_SECONDS = (0.5, 2, 5)
"""Pauses between looks that contradict themselves: somebody changes AWS at this moment."""


@dataclass
class Session:
    """One run of one command.

    plain   routes that have to do without a second rule, with the reason
    beside  the names of the other notifiers of this run
    """

    config: Config
    aws: Aws
    graph: Graph
    screen: Screen
    report: Callable[[Event], None]
    loaded: Loaded
    warnings: list[str] = field(default_factory=list)
    """What was warned of, for the JSON document."""
    plain: dict[str, str] = field(default_factory=dict)
    beside: frozenset[str] = frozenset()
    backlog: Future[list[str]] | None = None
    """What is said of the findings that match already, before a rule is switched on."""

    def observe(
        self,
        *,
        shallow: bool = False,
        search: bool = True,
        beside: Callable[[], None] = lambda: None,
    ) -> Observation:
        """Observes AWS; `search` tells whether leftovers are looked for too."""
        for pause in LOOK_AGAIN_SECONDS:
            seen = self._observe_once(shallow=shallow, search=search, beside=beside)
            if not contradictions(self.graph, seen):
                break
            self.aws.pause(pause)
        if not shallow:
            self.without_second_rules(
                without_second_rule.remembered(self.config, self.graph, seen.wanted)
            )
        return self.of_the_graph(seen)

    def without_second_rules(self, routes: dict[str, str]) -> None:
        """Wants one rule a service of these routes from now on."""
        if not routes.keys() <= self.plain.keys():
            self.plain |= routes
            self.graph = build(self.config, self.aws.scope, self.plain)

    def of_the_graph(self, seen: Observation) -> Observation:
        """Returns what was seen of the things that are wanted by now."""
        return replace(seen, wanted={thing.id: seen.wanted[thing.id] for thing in self.graph})

    def _observe_once(
        self, *, shallow: bool, search: bool, beside: Callable[[], None]
    ) -> Observation:
        finder = leftovers.Finder(self.aws, self.graph, self.config.name, pointers=not shallow)
        return observe(
            self.graph,
            self.aws,
            self.report,
            shallow=shallow,
            find=finder if search else None,
            beside=beside,
        )

    def other_notifiers(self) -> tuple[str, ...]:
        """Lists other notifiers here; none when they could not be looked for."""
        try:
            found = self.aws.in_time(
                self.aws.start(lookup.other_notifiers, self.aws, self.config.name)
            )
        except StopError:
            raise
        except AwsError:
            return ()
        return tuple(name for name in found if name not in self.beside)

    def look(
        self, *, search: bool = True, beside: Callable[[], None] = lambda: None
    ) -> tuple[Observation, Surroundings]:
        """Observes the notifier, and its surroundings in the same rounds.

        search  whether leftovers are looked for too
        beside  starts further questions, and waits for none of them
        """
        asking = Asking(
            self.aws,
            self.graph,
            self.config.existing_keys,
            {route.source for route in self.config.routes},
        )

        def start() -> None:
            asking.start()
            beside()

        seen = self.observe(search=search, beside=start)
        return seen, asking.answers(seen)

    def refused_patterns(self, plan: Plan) -> dict[str, str]:
        """Maps a route to what EventBridge says against the raw pattern that is to be written.

        Ours are well formed.
        """
        written = {
            step.key for step in plan.steps if any(c.path == "EventPattern" for c in step.changes)
        }
        routes = [
            route
            for route in self.config.routes
            if route.pattern and names.rule_id(route) in written
        ]
        return premises.refused_patterns(
            self.aws, {r.name: compact(r.pattern) for r in routes if r.pattern}
        )

    def refused_guards(self, plan: Plan) -> dict[str, str]:
        """Maps a route to EventBridge's code against a guarding pattern that is to be written."""
        written = {
            step.key: step.resource
            for step in plan.steps
            if any(change.path == "EventPattern" for change in step.changes)
        }
        patterns = {
            route.name: compact(rule.event_pattern.document)
            for route in self.config.routes
            for rule_id in names.rule_ids(route, written)
            if isinstance(rule := written[rule_id], Rule) and (rule.first or rule.heirs)
        }
        asked = premises.refused_patterns(self.aws, patterns)
        return dict.fromkeys(asked, "InvalidEventPatternException")

    def warn(self, seen: Observation) -> None:
        """Says what a person should know before anything is decided."""
        if seen.unsearched:
            self.warn_of(
                f"what is left over could not be looked for: {seen.unsearched.error.message}"
            )

    def warn_of(self, warning: str) -> None:
        """Says a warning, and keeps it for the JSON document."""
        self.warnings.append(warning)
        self.screen.warn(warning)

    def next_steps(self, *steps: str) -> None:
        """Says what a person does next, apart from the result."""
        self.screen.result()
        self.screen.result("Next:")
        for step in steps:
            self.screen.result(f"  * {escaped_line(step)}")

    def title(self, what: str) -> str:
        scope = self.aws.scope
        return f"{what} {self.config.name} in account {scope.account}, {scope.region}"

    def document(self, **more: Any) -> dict[str, Any]:
        """Makes a JSON document with the head that every document has."""
        scope = self.aws.scope
        return {"name": self.config.name, "account": scope.account, "region": scope.region, **more}

    def plan_document(
        self, plan: Plan, outcome: Outcome | None = None, error: ShnotifyError | None = None
    ) -> dict[str, Any]:
        """Makes the contract's JSON for plan, apply and destroy."""
        summary = {
            "create": plan.count("create"),
            "update": plan.count("update", "adopt"),
            "delete": plan.count("delete"),
            "unchanged": plan.count("none"),
            "refused": len(plan.refused),
        }
        actions = [_action(step, outcome) for step in plan.steps]
        return self.document(
            actions=actions,
            summary=summary,
            fingerprint=plan.fingerprint,
            warnings=list(dict.fromkeys(self.warnings)),
            error=error.to_json() if error else None,
        )


def _action(step: Step, outcome: Outcome | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": step.resource.id,
        "type": step.resource.CFN,
        "name": step.resource.name,
        "action": step.action,
        "changes": [
            {"path": c.path, "before": to_json(c.before), "after": to_json(c.after)}
            for c in step.changes
        ],
    }
    if step.reason:
        found["reason"] = step.reason
    if step.notes:
        found["notes"] = list(step.notes)
    if outcome:
        found["result"] = outcome.results.get(step.key, "skipped")
    return found


def unread(seen: Observation) -> ShnotifyError | None:
    """Returns the error of the first thing that could not be read, or None."""
    from shnotify.engine.resource import Unreadable

    found = [*seen.wanted.values(), *(live for _, live in seen.leftovers), seen.unsearched]
    return next((live.error for live in found if isinstance(live, Unreadable)), None)


def opened(
    loaded: Loaded,
    aws: Aws,
    screen: Screen,
    report: Callable[[Event], None],
) -> Session:
    """Begins the run for one notifier. Raises when the account is not the file's."""
    config, scope = loaded.config, aws.scope
    if config.account and config.account != scope.account:
        raise ShnotifyError(
            f"these credentials are for account {scope.account}, but the file is for {config.account}",
            hint="use the other account's profile (--profile), or correct `account:` in the file",
        )
    if config.asks_which:
        source, why = premises.chosen_source(aws)
        report(Noted(f"source: auto means {source} here: {why}"))
        config = config.settled(source)
    run = Session(config, aws, build(config, scope), screen, report, loaded)
    if not config.region and (doubt := region_doubt(scope.region)):
        run.warn_of(doubt)
    return run
