"""What became of a plan: a line a thing, by name and kind, with the time it took. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from shnotify.engine.execute import Outcome
from shnotify.engine.plan import Action, Plan, Result, Step
from shnotify.escaping import escaped_line
from shnotify.terminal.language import tr
from shnotify.terminal.styled import Text
from shnotify.terminal.wrapping import columns, padded

_DONE: dict[Action, str] = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "adopt": "taken over",
}
_NOT_DONE: dict[Result, str] = {"failed": "FAILED", "skipped": "not done"}
_STYLES: dict[Result, str] = {"done": "green", "failed": "bold red", "skipped": "yellow"}
_KINDS = {
    "KMS::Key": "KMS key",
    "SQS::Queue": "SQS queue",
    "SNS::Topic": "SNS topic",
    "SNS::Subscription": "subscription",
    "Events::Rule": "EventBridge rule",
    "Lambda::Function": "Lambda function",
    "Lambda::EventSourceMapping": "event source mapping",
    "IAM::Role": "IAM role",
    "CloudWatch::Alarm": "CloudWatch alarm",
    "Scheduler::Schedule": "EventBridge schedule",
    "Logs::LogGroup": "log group",
}
"""CloudFormation's name of a kind -> what people call it; any other is called as CloudFormation does."""


def kind_in_words(cfn: str) -> str:
    """Turns `AWS::SNS::Topic` into `SNS topic`."""
    name = cfn.removeprefix("AWS::")
    return _KINDS.get(name, name)


def result_lines(plan: Plan, outcome: Outcome, *, ended: bool) -> Iterator[Text]:
    """Writes a line for each thing that something was to happen to, and one for all of it.

    ended  nothing kept the plan from its end
    """
    steps = [
        step
        for step in plan.steps
        if step.action != "none" and not (ended and step.action == "refuse")
    ]
    results = {step.key: _result(step, outcome) for step in steps}
    if set(results.values()) <= {"skipped"}:
        yield Text("Nothing to do." if ended else "Nothing was done.")
        return
    words = {step.key: tr(_word(step, results[step.key])) for step in steps}
    width = max(columns(word) for word in words.values())
    for step in steps:
        result = results[step.key]
        seconds = outcome.seconds.get(step.key)
        yield Text.assemble(
            "  ",
            (padded(words[step.key], width), _STYLES[result]),
            f"  {tr(kind_in_words(step.resource.CFN))} {escaped_line(step.resource.name)}",
            (f"  {seconds:.1f} s" if seconds is not None else "", "dim"),
        )
    done = sum(result == "done" for result in results.values())
    left = len(steps) - done
    yield Text(f"Done: {done} of {len(steps)}." if left else f"Done: {done}.", "bold")


def _result(step: Step, outcome: Outcome) -> Result:
    return outcome.results.get(step.key, "skipped") if step.action != "refuse" else "skipped"


def _word(step: Step, result: Result) -> str:
    if result != "done":
        return _NOT_DONE[result]
    if step.release:
        return "given back"
    if step.action == "delete" and step.resource.CFN == "AWS::KMS::Key":
        return "deletion scheduled"  # KMS deletes no key at once (API_ScheduleKeyDeletion)
    return _DONE.get(step.action, step.action)
