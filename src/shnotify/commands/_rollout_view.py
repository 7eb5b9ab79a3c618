"""How a roll-out is shown: its plan, its stacks, and how far it is, as text and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from shnotify.errors import ShnotifyError
from shnotify.escaping import escaped_line
from shnotify.export.operations import new_mails
from shnotify.export.rollout import Ended, Progress
from shnotify.export.simulation import OneStack, money
from shnotify.export.stackset import Action, Instance, Seen
from shnotify.terminal.screen import Screen
from shnotify.terminal.styled import Text

if TYPE_CHECKING:
    from shnotify.commands._rollout import Run

SHOWN = 30
"""Stacks that are listed without -v when all is well; what failed is always listed."""
ROWS = 15
"""Stacks that the table shows at once: those that failed first, then those that are at work."""
_FIRST = ("FAILED", "INOPERABLE", "CANCELLED", "RUNNING", "PENDING", "SUCCEEDED")


def table(stacks: Iterable[Instance], rows: int = ROWS) -> list[str]:
    """Lists the stacks that a person wants to see, and says how many are not listed."""
    found = sorted(stacks, key=lambda one: (_place(one), one.account, one.region))
    lines = [
        f"  {one.account} {one.region:15} {one.status.lower()}{_why(one)}" for one in found[:rows]
    ]
    return lines + ([f"  and {len(found) - rows:,} more"] if len(found) > rows else [])


def _place(one: Instance) -> int:
    return _FIRST.index(one.status) if one.status in _FIRST else len(_FIRST)


class Following:
    """Shows how far an operation is."""

    def __init__(
        self, screen: Screen, draw: Callable[[list[Text | str]], None] | None = None, what: str = ""
    ) -> None:
        self._what = what
        self._screen = screen
        self._draw = draw
        self._told = ""

    def show(self, progress: Progress) -> None:
        text = (
            f"{self._what or progress.action.kind.replace('_', ' ')}: {progress.status.lower()}, "
            f"{progress.done:,} of {progress.of:,} stacks done, {progress.failed:,} failed"
        )
        if self._draw:
            self._draw([text, *table(progress.stacks), "  Ctrl-C is safe: AWS goes on."])
        elif text != self._told:
            self._screen.say(text)
        self._told = text


def _why(one: Instance) -> str:
    return f": {escaped_line(one.reason)}" if one.reason else ""


# -- the plan --------------------------------------------------------------------------------------


def show_plan(run: Run, seen: Seen, actions: tuple[Action, ...]) -> None:
    screen = run.screen
    screen.result(run.title("Roll-out of"))
    if seen.running:
        screen.result(f"  operation {seen.running} is still running: apply follows it first")
    for action in actions:
        screen.result(f"  {words(action)}")
        if screen.verbose:
            screen.result(f"    {', '.join(action.accounts or action.targets)}")
    if not actions:
        screen.result("  nothing to do")
    _show_what_nobody_mends(run, seen)
    counts = figures(run, seen, actions)
    if counts["mails_to_confirm"]:
        screen.result(
            f"{counts['mails_to_confirm']:,} mails must be confirmed, within 48 hours each."
        )
    if counts["stacks"] or counts["keys_that_stay"]:
        screen.result(
            f"Together it costs about {money(counts['cost_per_month_usd'])} USD a month "
            "(KMS keys and alarms)."
        )
    if any(action.kind == "delete" for action in actions):
        _show_what_stays(run, counts["keys_that_stay"])
    if run.wanted.by_units and any(action.kind == "create" for action in actions):
        screen.result("Counted once for each organizational unit: its accounts are AWS's to know.")


def _show_what_nobody_mends(run: Run, seen: Seen) -> None:
    """Names stacks that no update reaches (API_StackInstanceSummary, Status)."""
    found = [one for one in seen.instances if one.status == "INOPERABLE"]
    if found:
        run.screen.warn(
            f"{len(found)} stacks are INOPERABLE, {found[0].account} in {found[0].region} first: no update "
            "reaches them; delete the stack instance with RetainStacks, then its stack by hand"
        )


def _show_what_stays(run: Run, keys: int) -> None:
    if not run.wanted.keeps:
        run.screen.result(
            "Dead-letter queues go with their messages; KMS keys are scheduled for deletion."
        )
    else:
        run.screen.result(
            "Dead-letter queues and KMS keys stay in the accounts until somebody deletes them: "
            f"{keys:,} keys of the stacks that go."
        )


def words(action: Action) -> str:
    """Says in words what an operation does."""
    plain = {
        "create_set": "create the stack set",
        "update_set": "update the stack set, and every stack of it",
        "delete_set": "delete the stack set",
        "detect_drift": "look for drift",
    }
    if action.kind in plain:
        return plain[action.kind]
    where = ", ".join(action.regions)
    whom = action.accounts or action.targets
    kind = "accounts" if whom[0].isdecimal() else "units"
    first = whom[0] if len(whom) == 1 else f"{len(whom):,} {kind}"
    return f"{action.kind} {_count(action.stacks)}: {first} in {where}{_how(action)}"


def _count(stacks: int) -> str:
    return "1 stack" if stacks == 1 else f"{stacks:,} stacks"


def _how(action: Action) -> str:
    if action.overrides:
        return " with addresses of their own"
    return " with the file's addresses again" if action.kind == "update" else ""


def figures(run: Run, seen: Seen, actions: Sequence[Action]) -> dict[str, Any]:
    """Counts stacks, mails to confirm, and USD a month.

    A stack that goes leaves its keys, which cost what they did.
    """
    created = sum(a.stacks for a in actions if a.kind == "create")
    again = sum(a.stacks for a in actions if a.kind == "retry")
    deleted = sum(a.stacks for a in actions if a.kind == "delete")
    changed = _changed_addresses(run, seen) if any(a.kind == "update" for a in actions) else 0
    if any(a.kind == "update_set" for a in actions):
        changed += new_mails(run.wanted, seen) * len(seen.instances)
    stacks = len(seen.instances) + created - deleted
    each = OneStack.of(run.config)
    stay = deleted * each.keys if run.wanted.keeps else 0
    return {
        "stacks": stacks,
        "mails_to_confirm": (created + again) * each.mails + changed,
        "keys_that_stay": stay,
        "cost_per_month_usd": round(stacks * each.usd + stay, 2),
    }


def _changed_addresses(run: Run, seen: Seen) -> int:
    """Counts the addresses that stacks get instead of those they have."""
    count = 0
    for one in seen.instances:
        if one.overrides is not None:
            want = run.wanted.overrides.get((one.account, one.region), {})
            names = {name for name, _ in want.items() ^ one.overrides.items()}
            count += sum(name.endswith("Endpoint") for name in names)
    return count


def plan_document(
    run: Run, seen: Seen, actions: tuple[Action, ...], error: ShnotifyError | None
) -> dict[str, Any]:
    return {
        "actions": [action.to_json() for action in actions],
        **figures(run, seen, actions),
        "running": seen.running or None,
        "error": error.to_json() if error else None,
    }


# -- what stands, and what became of it ------------------------------------------------------------


def show_status(run: Run, seen: Seen, actions: tuple[Action, ...], *, in_sync: bool) -> None:
    screen, instances = run.screen, seen.instances
    screen.result(run.title("Roll-out"))
    off = [one for one in instances if one.failed or not one.current or one.drift == "DRIFTED"]
    every = screen.verbose or len(instances) <= SHOWN
    for one in instances if every else off[: None if screen.verbose else SHOWN]:
        drift = "" if one.drift == "NOT_CHECKED" else f", {one.drift.lower().replace('_', ' ')}"
        screen.result(f"  {one.account} {one.region:15} {one.status.lower()}{drift}{_why(one)}")
    if not every and len(off) > SHOWN:
        screen.result(f"  and {len(off) - SHOWN:,} more that are not as wanted (-v lists all)")
    counts = Counter(one.status.lower() for one in instances)
    told = ", ".join(f"{count:,} {status}" for status, count in sorted(counts.items()))
    screen.result(f"{len(instances):,} stacks{f': {told}' if told else ''}")
    if seen.running:
        screen.result(f"  operation {seen.running} is still running")
    for action in actions:
        screen.result(f"  not as the file says: {words(action)}")
    _show_what_nobody_mends(run, seen)
    if not in_sync:
        screen.result("Not in sync.")
    elif seen.not_checked:
        screen.result("In sync, as far as StackSets have looked.")
    else:
        screen.result("In sync.")
    if seen.not_checked:
        screen.result(
            f"{seen.not_checked:,} stacks were never compared with what is in AWS: --detect-drift does."
        )
    if dates := sorted(one.checked for one in instances if one.checked):
        screen.result(
            f"Drift was looked for on {dates[0][:10]} or later; --detect-drift looks now."
        )


def instance_document(one: Instance) -> dict[str, Any]:
    return {
        "account": one.account,
        "region": one.region,
        "unit": one.unit or None,
        "status": one.status,
        "current": one.current,
        "drift": one.drift,
        "drift_checked": one.checked or None,
        "reason": one.reason or None,
    }


def failures_of(ended: Sequence[Ended]) -> ShnotifyError | None:
    """Returns the error of an apply or destroy that left stacks behind, or None.

    Within the failure tolerance an operation succeeds though stacks failed
    (stacksets-troubleshooting, failure count).
    """
    bad = next((one for one in ended if not one.ok or one.failures), None)
    if bad is None:
        return None
    count = _count(sum(len(one.failures) for one in ended))
    tolerated = f"{words(bad.action)}: {count} failed, within the failure tolerance"
    beyond = f"{words(bad.action)} ended as {bad.status.lower()}: {count} failed or were not begun"
    return ShnotifyError(
        tolerated if bad.ok else beyond,
        hint="mend the cause, then run the same command again: it goes on with what is missing",
    )


def show_ended(run: Run, ended: Sequence[Ended], failures: Sequence[Instance]) -> None:
    for line in table(failures, len(failures) if run.screen.verbose else SHOWN):
        run.screen.result(line)
    done = [words(one.action) for one in ended if one.ok and not one.failures]
    for what in done:
        run.screen.result(f"  done: {what}")
    if not done:
        run.screen.result("Nothing was done.")
