"""What `init` learns from AWS, and what it suggests from that. Nothing of it is needed.

Without credentials, without permission or without a network the file is written all the same, and
soon: a look has a few seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from shnotify.arns import Scope
from shnotify.aws.failures import AwsError
from shnotify.aws.progress import Noted
from shnotify.commands._init_ask import taking_over
from shnotify.commands._init_text import Answers
from shnotify.commands._opening import connected
from shnotify.errors import ShnotifyError, UsageError
from shnotify.escaping import escaped_line
from shnotify.notifier import prospects
from shnotify.notifier.needs import INIT
from shnotify.notifier.prospects import Hubs, Things
from shnotify.resources.kinds import READS

if TYPE_CHECKING:
    from shnotify.aws.gateway import Aws
    from shnotify.terminal.options import Options
    from shnotify.terminal.screen import Screen

SECONDS = 8
"""How long one look may take."""
ANYWHERE = "us-east-1"
"""The Region that is asked who we are when none is known."""
T = TypeVar("T")


@dataclass
class Look:
    """Looks at AWS for a person who has no file yet.

    why     why nothing could be asked; "" when AWS answered
    here    the Region of the credentials, "" when none is set
    things  what the chosen Region holds; None: nobody looked
    """

    options: Options
    screen: Screen
    scope: Scope | None = None
    why: str = "--offline"
    here: str = ""
    hubs: Hubs = field(default_factory=Hubs)
    things: Things | None = None

    def begin(self) -> None:
        """Asks who the caller is, and where Security Hub is on."""

        def ask(aws: Aws) -> tuple[Scope, Hubs]:
            return aws.scope, prospects.hubs(aws)

        self.why = ""
        found = self._asked(ask, self.options.region or None)
        if found:
            self.scope, self.hubs = found
            self._tell()
        else:
            self.screen.say(
                escaped_line(f"note: nothing was asked of AWS, so nothing is suggested: {self.why}")
            )

    def at(self, region: str) -> Things:
        """Looks for what the Region holds."""
        if self.scope is None:
            return Things()
        found = self._asked(prospects.things, region or self.scope.region)
        self.things = found or Things()
        for note in _notes(self.things):
            self.screen.say(escaped_line(f"note: {note}"))
        return self.things

    def _asked(self, question: Callable[[Aws], T], region: str | None) -> T | None:
        limit = min(self.options.timeout or SECONDS, SECONDS)
        settings = self.options._replace(timeout=limit)
        for place, no_region in ((region, False), (ANYWHERE, True)):
            try:
                with connected(settings, region=place, allowed=READS | INIT) as (aws, _, _):
                    _say_nothing_twice(aws)
                    self.here = self.here or ("" if no_region else aws.region)
                    return question(aws)
            except UsageError as error:  # no Region is known
                self.why = error.message
            except (ShnotifyError, AwsError) as error:
                self.why = error.message
                break
        return None

    def _tell(self) -> None:
        hubs = self.hubs
        regions = [one.region for one in hubs.on if one.region != hubs.home]
        on = [f"{hubs.home} (home Region)", *regions] if hubs.home else regions
        told = f"Security Hub is on in {prospects.listed(on)}" if on else _NOWHERE
        missing = f"; {hubs.silent} Regions could not be asked" if hubs.silent else ""
        needs = f" (needs {', '.join(hubs.needs)})" if hubs.needs else ""
        self.screen.say(escaped_line(f"note: {told}{missing}{needs}"))

    def suggested(self, answers: Answers) -> Answers:
        """Fills in Region, account and source, where nothing was given."""
        if self.scope is None or (answers.account and answers.account != self.scope.account):
            return answers
        region = answers.region or self.hubs.suggested(self.here)
        return replace(answers, region=region, account=answers.account or self.scope.account)

    def completed(self, answers: Answers) -> Answers:
        """Turns what was given by name into what the file needs, once the Region is chosen.

        Raises `UsageError` for an alias that is not there.
        """
        region = answers.region or self.here
        answers = replace(answers, source=answers.source or self.hubs.source(region))
        found = self.things or Things()
        if chain := found.chain(answers.rule):
            answers = taking_over(answers, chain)
        for option in ("topic_key", "dlq_key"):
            value: str = getattr(answers, option)
            if value.startswith("alias/"):
                resolved: Any = {option: _resolved(found, option, value)}
                answers = replace(answers, **resolved)
        return answers

    def to_json(self) -> dict[str, Any] | None:
        """Returns what was found, for the JSON document; None when AWS was not asked."""
        if self.scope is None:
            return None
        things = self.things or Things()
        return {
            "account": self.scope.account,
            "regions": [one.to_json() for one in self.hubs.regions],
            "home": self.hubs.home or None,
            "rules": [one.to_json() for one in things.chains],
            "topics": list(things.topics),
            "keys": [{"alias": alias, "arn": arn} for alias, arn in things.keys.items()],
            "notifiers": list(things.notifiers),
            "needs": sorted({*self.hubs.needs, *things.needs}),
        }


def _say_nothing_twice(aws: Aws) -> None:
    """Leaves notes, such as the one about another endpoint, to the plan at the end."""
    report = aws.report
    aws.report = lambda progress: None if isinstance(progress, Noted) else report(progress)


_NOWHERE = "Security Hub is on in no Region that answered; `apply` never switches it on"


def _resolved(found: Things, option: str, alias: str) -> str:
    if alias in found.keys:
        return found.keys[alias]
    raise UsageError(
        f"--{option.replace('_', '-')}: there is no {alias} here, or it could not be asked for",
        hint="give the key's ARN",
    )


def _notes(found: Things) -> list[str]:
    """Says what could be taken over or used, by the options that do it."""
    notes = []
    for one in found.chains:
        feeds = f" to topic {one.topic}" if one.topic else ""
        notes.append(
            f"rule {one.rule} sends Security Hub's findings{feeds} already: `--rule {one.rule}` takes it over; "
            "beside it, people may get mails twice"
        )
    if found.topics:
        named = prospects.listed(found.topics)
        notes.append(f"topics that `--topic` could take over: {named}")
    if found.keys:
        named = prospects.listed(found.keys)
        notes.append(f"keys that `--topic-key` and `--dlq-key` could use: {named}")
    if found.notifiers:
        notes.append(f"notifiers that are here already: {prospects.listed(found.notifiers)}")
    if found.needs:
        notes.append(f"not all could be looked for: needs {', '.join(found.needs)}")
    return notes
