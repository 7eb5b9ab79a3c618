"""The flow that `plan`, `apply` and `destroy` share: make the plan, show it, ask, tell what became
of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from shnotify.commands._session import Session
    from shnotify.engine.events import Event
    from shnotify.engine.execute import Outcome
    from shnotify.engine.plan import Observation, Plan
    from shnotify.errors import ShnotifyError
    from shnotify.notifier.surroundings import Surroundings
    from shnotify.terminal.screen import Screen


def planned(
    run: Session,
    seen: Observation,
    around: Surroundings,
    *,
    adopt: bool,
    markdown: bool = False,
    wait: bool = True,
    ask: bool = False,
) -> Plan:
    """Makes and shows the plan for `apply`.

    Raises `UsageError` for a pattern that EventBridge would not take.

    ask   whether EventBridge is asked about the patterns that guard a mail; `apply` is answered
          when it writes them
    wait  whether the number of findings that match already is waited for; else `backlog_first`
          tells it beside the first changes, before a rule is switched on
    """
    from shnotify.config.advice import advice
    from shnotify.engine.plan import plan_apply
    from shnotify.errors import UsageError
    from shnotify.notifier.delivery import precautions
    from shnotify.terminal.plan_view import summary_line

    plan = plan_apply(run.graph, seen, adopt=adopt)
    count = counting(run, plan)
    if refused := run.refused_patterns(plan):
        told = "; ".join(f"route {route}: {why}" for route, why in refused.items())
        raise UsageError(told, hint="correct the `pattern:` of the route; nothing was changed")
    if ask and (guards := run.refused_guards(plan)):
        run.without_second_rules(guards)
        seen = run.of_the_graph(seen)
        plan = plan_apply(run.graph, seen, adopt=adopt)
    fresh = all(step.action == "create" for step in plan.steps)
    if fresh and ask:
        for warning in elsewhere(run):
            run.warn_of(warning)
    if fresh and (others := run.other_notifiers()):
        run.warn_of(
            f"nothing of {run.config.name} is here yet, but of {', '.join(others)}: if that is its former name, this "
            "makes a second set beside it; `shnotify destroy` with the former name in the file takes the first one away"
        )
    for warning in (*advice(run.loaded), *precautions(run.config, run.graph, seen, around)):
        run.warn_of(warning)
    if count and wait:
        for warning in counted(run, count):
            run.warn_of(warning)
    elif count:
        run.backlog = count
    run.screen.sum_up(summary_line(plan))
    if markdown:
        _show_markdown(run, plan)
    else:
        _show(run, plan)
    return plan


def _show(run: Session, plan: Plan) -> None:
    from shnotify.terminal.plan_view import is_fresh, plan_lines, summary_line

    run.screen.result(run.title("Plan for"))
    run.screen.result()
    if is_fresh(plan):
        show_picture(run)
    for line in plan_lines(plan, run.screen.between, verbose=run.screen.verbose):
        run.screen.result(line)
    if plan.count("create") and not run.screen.verbose:
        run.screen.result("-v shows every property of what is new.")
    if plan.count("delete"):
        run.screen.result("What is deleted carries our tag, and is no longer in the file.")
    run.screen.result(summary_line(plan))
    run.screen.result(cost_line(run))
    if plan.changes_anything:
        run.screen.result(f"Fingerprint: {plan.fingerprint}")


def _show_markdown(run: Session, plan: Plan) -> None:
    from shnotify.terminal.markdown import plan_markdown

    for line in plan_markdown(plan, run.title("Plan for"), run.warnings, plan.fingerprint):
        run.screen.result(line, exact=True)


def show_picture(run: Session) -> None:
    """Draws the chain from Security Hub to those who are told."""
    from shnotify.config.picture import chains, drawn

    for line in drawn(chains(run.config, run.plain), plain=run.screen.plain_text):
        run.screen.result(line)
    run.screen.result()


def elsewhere(run: Session) -> list[str]:
    """Says which other notifier would mail the same findings; what cannot be read `doctor` tells."""
    from shnotify.notifier.hubcheck import mailed_elsewhere
    from shnotify.notifier.inquiry import origin

    used = {route.source for route in run.config.routes}
    sources = {"cspm", "hub"} if "both" in used else used
    return mailed_elsewhere(run.aws.scope, origin(run.aws, sources))


def counting(run: Session, plan: Plan) -> Future[list[str]] | None:
    """Begins to ask how many findings match already, if the plan switches a rule on."""
    from shnotify.notifier import names
    from shnotify.notifier.flood import warnings

    changed = {
        step.key: any(change.path == "State" for change in step.changes) or step.action == "create"
        for step in plan.steps
        if step.action in ("create", "update", "adopt")
    }
    routes = [
        route
        for route in run.config.routes
        if route.rule.enabled and changed.get(names.rule_id(route))
    ]
    return run.aws.start(warnings, run.aws, routes) if routes else None


def counted(run: Session, count: Future[list[str]]) -> list[str]:
    """Waits for the answer. Raises `StopError` when no call can succeed any more."""
    from shnotify.aws.failures import AwsError, StopError

    try:
        return run.aws.in_time(count)
    except StopError:
        raise
    except AwsError:
        return []


def backlog_first(run: Session) -> Callable[[Event], None]:
    """Reports what is carried out, and how many findings match already before it begins a rule."""
    from shnotify.aws.progress import Noted
    from shnotify.engine.events import StepStarted
    from shnotify.resources.rule import Rule

    def report(event: Event) -> None:
        rule = isinstance(event, StepStarted) and isinstance(event.step.resource, Rule)
        if rule and run.backlog:
            count, run.backlog = run.backlog, None
            for warning in counted(run, count):
                run.warnings.append(warning)
                run.report(Noted(warning))
        run.report(event)

    return report


def cost_line(run: Session) -> str:
    """Says what the notifier costs a month: a customer-managed key is 1 USD (AWS KMS pricing), an
    alarm 0.10 USD (Amazon CloudWatch pricing).

    The rest is cents.
    """
    from shnotify.notifier.alarms import MONTHLY_USD
    from shnotify.resources.alarm import Alarm
    from shnotify.resources.key import Key

    keys = sum(isinstance(resource, Key) for resource in run.graph)
    what = f"{keys} KMS key{'s' if keys != 1 else ''} at 1 USD" if keys else "no KMS key of its own"
    cost = f"{keys}"
    if alarms := sum(isinstance(resource, Alarm) for resource in run.graph):
        cost = f"{keys + alarms * MONTHLY_USD:.2f}"
        what = f"{what}, {alarms} alarms at {MONTHLY_USD:.2f} USD"
    return f"Costs about {cost} USD a month: {what}; e-mail, events and queue are free or cents at this size."


def refusal(plan: Plan) -> Any:
    """Returns the error for a plan that must not be carried out, or None."""
    from shnotify.errors import ShnotifyError

    if not plan.refused:
        return None
    first = plan.refused[0]
    unread = [s for s in plan.refused if s.live is None]
    if unread:
        message = f"{', '.join(s.key for s in unread)} could not be read, so nothing is changed: {unread[0].reason}"
        return ShnotifyError(
            message,
            hint="allow the call named above, or mend what keeps it from its answer; then run it again",
            resource=unread[0].key,
        )
    names = ", ".join(f"{s.key} ({s.resource.name})" for s in plan.refused)
    return ShnotifyError(
        f"refused, so nothing is changed: {names}: {first.reason}", resource=first.key
    )


TIMEOUT = 600


def confirm(run: Session, question: str) -> None:
    """Asks on a terminal; elsewhere `--yes` is needed.

    Raises `UsageError` when nothing may be done.
    """
    agree(run.screen, question)


def agree(screen: Screen, question: str) -> None:
    """Asks as `confirm` does."""
    from shnotify.errors import UsageError

    if not screen.can_ask:
        raise UsageError(
            "nobody can be asked here, so nothing was changed",
            hint="give --yes to go on without asking",
        )
    if not screen.ask(f"{question} [y/N]"):
        raise UsageError("stopped, as you said; nothing was changed")


def all_expected(members: Sequence[object], expected: tuple[str, ...]) -> None:
    """Raises UsageError when the plans of some of several notifiers were not reviewed."""
    from shnotify.errors import UsageError

    if expected and len(expected) != len(members):
        plural = "s" if len(expected) > 1 else ""
        raise UsageError(
            f"{len(members)} notifiers, and --expect names {len(expected)} plan{plural}: nothing was done",
            hint="give --expect once for each: `shnotify plan` shows every fingerprint",
        )


def unexpected(plan: Plan, expected: tuple[str, ...]) -> ShnotifyError | None:
    """Returns the error for a plan that is not among the reviewed ones, or None.

    expected  the fingerprints of the plans that were reviewed; (): none was
    """
    from shnotify.errors import ShnotifyError

    if not expected or plan.fingerprint in [one.strip().lower() for one in expected]:
        return None
    return ShnotifyError(
        f"this is not the plan that was reviewed, so nothing was done: its fingerprint is {plan.fingerprint}",
        hint="the file or AWS changed since: review it anew with `shnotify plan`",
        code="UnexpectedPlan",
    )


def changed_meanwhile() -> ShnotifyError:
    from shnotify.errors import ShnotifyError

    return ShnotifyError(
        "AWS changed while you were reading the plan, so nothing was done",
        hint="run the same command again to see the new plan",
    )


def finish(
    run: Session, plan: Plan, outcome: Outcome, error: ShnotifyError | None, **more: Any
) -> int:
    """Prints what became of the plan and returns the exit code.

    more  what else the JSON document says
    """
    from shnotify.errors import ShnotifyError
    from shnotify.terminal.results_view import result_lines

    stopped = ShnotifyError("interrupted", hint="the next run picks up what was begun")
    if outcome.interrupted:
        error = error or stopped
    run.screen.document(run.plan_document(plan, outcome, error) | more)
    run.screen.result()
    for line in result_lines(plan, outcome, ended=not (error or outcome.interrupted)):
        run.screen.result(line)
    if outcome.interrupted:
        run.screen.error(stopped.message, stopped.hint)
        return int(getattr(outcome.interrupted, "exit_code", 130))
    for failure in outcome.errors or ([error] if error else []):
        named = not failure.resource or failure.message.startswith(failure.resource)
        where = "" if named else f"{failure.resource}: "
        run.screen.error(where + failure.message, failure.hint)
    return 1 if error else 0
