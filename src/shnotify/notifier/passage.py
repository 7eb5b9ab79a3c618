"""One way from a rule to inboxes, as it stands in AWS, and what is judged on it beside the policies.
Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from datetime import UTC, datetime
from typing import Any

from shnotify.arns import Scope
from shnotify.engine.health import Link
from shnotify.engine.resource import Live
from shnotify.frozen import frozen
from shnotify.notifier import metrics, rulecheck
from shnotify.notifier.chain import KEY_OF_OTHERS, KeySeen
from shnotify.notifier.countdown import Asked, left
from shnotify.notifier.inquiry import Answers
from shnotify.notifier.mending import mended
from shnotify.notifier.subscribers import Details, Recipient, click_links
from shnotify.resources.function import Function
from shnotify.resources.queue import Queue, depths
from shnotify.resources.rule import Rule
from shnotify.resources.topic import Topic

LAPSE = "AWS drops it 48 hours after the confirmation mail was sent"
"""What becomes of a subscription that nobody confirms (sns-email-notifications)."""


@frozen
class Passage:
    """One rule and what its findings pass on their way to the inboxes.

    route       the route's name; without a file the rule's
    rule        None when it is not there or could not be read; the same for the others
    target      the rule's target from which the mail comes, as EventBridge shows it; {} for none
    pattern     the pattern that the file wants, or None
    keeps       the ARN of the file's dead-letter queue, "" for none; None when there is no file
    asked       when people were asked to confirm
    beside      whether it is a further rule of a route, whose other things are judged already
    recipients  who is on the topic, or should be
    details     subscription ARN -> its attributes
    links       what is judged already: the things by themselves, the policies, the subscribers
    """

    route: str
    rule: Live[Rule] | None
    topic: Live[Topic] | None
    queue: Live[Queue] | None
    function: Live[Function] | None
    target: Mapping[str, Any]
    recipients: tuple[Recipient, ...]
    details: Details
    links: tuple[Link, ...]
    keys: Mapping[str, KeySeen]
    pattern: Mapping[str, Any] | None = None
    keeps: str | None = None
    beside: bool = False
    asked: Asked = field(default_factory=Asked)

    def waits(self, one: Recipient) -> str:
        """Says how long a subscriber can still confirm; "" when nobody knows."""
        if not (one.pending and self.topic):
            return ""
        topic = self.topic.outputs["Arn"]
        return left(self.asked, topic, one.protocol, one.endpoint, datetime.now(UTC))

    @property
    def listed(self) -> bool:
        """Whether a file says who should get the mail."""
        return self.keeps is not None

    def judged(self, answers: Answers) -> tuple[Link, ...]:
        """Judges the whole way."""
        links = self._all(answers)
        return tuple(mended(link, self) if self._is_of_others(link) else link for link in links)

    def _is_of_others(self, link: Link) -> bool:
        """Tells whether `apply` does not mend it: a key that the file only names is nobody's to change."""
        return not self.listed or (link.resource or "").startswith(KEY_OF_OTHERS)

    def _all(self, answers: Answers) -> tuple[Link, ...]:
        if self.beside:
            return (*self._rule(), *self._invocations(answers))
        return (
            *self._known(answers),
            *self._rule(),
            *self._function(),
            *self._people(),
            *self._undelivered(),
            *self._counts(answers),
            *self._depth(),
        )

    def _known(self, answers: Answers) -> Iterator[Link]:
        """Yields what is judged already, without what only follows: nobody is reached when the topic
        is missing, or when filters keep everything away.
        """
        filtered = any(
            link.id == "filter-policy" and link.verdict == "broken" for link in self.links
        )
        for link in self.links:
            of_nobody = link.id == "subscribers" and link.verdict == "broken"
            if of_nobody and (self.topic is None or filtered):
                continue
            yield self._counted_down(link, answers) if of_nobody and not link.mend else link

    def _counted_down(self, link: Link, answers: Answers) -> Link:
        """Adds who was suspended, who has how long, and what gets somebody subscribed."""
        found = {one.endpoint: self.waits(one) for one in self.recipients if self.waits(one)}
        hours = "".join(f"; {endpoint}: {words}" for endpoint, words in found.items())
        evidence = {**link.evidence, "left": found} if found else link.evidence
        why, needs = f"{link.why}{self._suspended(answers)}{hours}", self._unread()
        return replace(link, why=why, mend=self._asks(), evidence=evidence, needs=needs)

    def _suspended(self, answers: Answers) -> str:
        """Says that the one who waits got mail before; "" when nobody can tell."""
        if not self.topic or self.topic.facts.get("SubscriptionsDeleted") != "0":
            return ""
        there = [one for one in self.recipients if one.state != "missing"]
        metric = metrics.of_topic(self.topic.state.name, "NumberOfNotificationsDelivered")
        if [one.pending for one in there] != [True] or not answers.counted.total(metric):
            return ""
        return (
            f"; {there[0].endpoint} got mail in the last {answers.counted.span}, so SNS suspended it: "
            "it does that above ten mails a second"
        )

    def _unread(self) -> tuple[str, ...]:
        """What was missing to tell until when somebody can confirm."""
        return self.asked.needs if any(one.pending for one in self.recipients) else ()

    def _asks(self) -> str:
        """What gets somebody subscribed."""
        pending = next((one.endpoint for one in self.recipients if one.pending), None)
        return f"shnotify subscriptions resend {pending}" if pending else "shnotify apply"

    def _rule(self) -> Iterator[Link]:
        if not self.rule:
            return
        state, arn = self.rule.state, self.rule.outputs["Arn"]
        pattern = rulecheck.pattern_link(
            state.id, state.event_pattern.document, self.pattern, Scope.of(arn)
        )
        yield pattern
        if not self.target.get("Arn"):
            return
        document = state.event_pattern.document
        for link in rulecheck.target_links(state.id, arn, self.target, document, self.keeps):
            follows = link.id == "transformer" and link.verdict == "warning"
            if not (follows and pattern.verdict == "broken"):
                yield link  # what no pattern guards any more follows from the pattern

    def _function(self) -> Iterator[Link]:
        if not self.function:
            return
        state = self.function.state
        if self.keeps and not (state.event_invoke_config or {}).get("OnFailure"):
            why = f"{state.id} keeps nothing of what fails in it: its OnFailure destination is gone"
            yield Link("queue", "broken", why, "shnotify apply", resource=state.id)

    # -- people ------------------------------------------------------------------------------------

    def _people(self) -> Iterator[Link]:
        if not self.topic:
            return
        topic_id = self.topic.state.id
        others = any(one.arn for one in self.recipients)
        for one in self.recipients:
            if one.state == "missing" and others:
                why = f"{one.endpoint} is in the file and not subscribed: it gets nothing"
                yield Link("subscribers", "broken", why, "shnotify apply", resource=topic_id)
            elif one.pending and one.state == "pending" and others:
                why = (
                    f"{one.endpoint} has still to click the link in its confirmation mail: {LAPSE}"
                )
                if hours := self.waits(one):
                    why = f"{why}: {hours}"
                needs = self._unread()
                yield Link("subscribers", "warning", why, needs=needs, resource=topic_id)
        mend = "shnotify subscriptions protect" if self.listed else None
        for link in click_links(topic_id, self.recipients):
            yield replace(link, mend=mend) if link.verdict == "warning" else link

    def _undelivered(self) -> Iterator[Link]:
        """Judges whether mail that SNS gives up is kept (sns-dead-letter-queues)."""
        if not self.topic or any(link.id == "undelivered-mail" for link in self.links):
            return
        topic_id = self.topic.state.id
        confirmed = [one for one in self.recipients if one.arn]
        lost = [one.endpoint for one in confirmed if not self._redrives(one)]
        unread = [
            one for one in confirmed if not isinstance(self.details.get(one.arn or ""), Mapping)
        ]
        if unread:
            why = "whether mail that SNS gives up is kept could not be read"
            yield Link("undelivered-mail", "unknown", why, resource=topic_id)
        elif lost:
            why = (
                f"mail to {', '.join(lost)} that SNS cannot deliver is dropped after six hours: "
                "the subscription has no dead-letter queue"
            )
            yield Link("undelivered-mail", "warning", why, resource=topic_id)
        elif confirmed:
            yield Link("undelivered-mail", "ok", resource=topic_id)

    def _redrives(self, one: Recipient) -> bool:
        attributes = self.details.get(one.arn or "")
        if not isinstance(attributes, Mapping):
            return True
        try:
            return bool(
                json.loads(attributes.get("RedrivePolicy") or "{}").get("deadLetterTargetArn")
            )
        except (ValueError, AttributeError):
            return False

    # -- what was counted --------------------------------------------------------------------------

    def _invocations(self, answers: Answers) -> Iterator[Link]:
        if self.rule:
            yield metrics.rule_link(self.rule.state.id, self.rule.state.name, answers.counted)

    def _counts(self, answers: Answers) -> Iterator[Link]:
        counted = answers.counted
        yield from self._invocations(answers)
        if self.function:
            yield metrics.function_link(self.function.state.id, self.function.state.name, counted)
        if self.topic:
            yield metrics.topic_link(self.topic.state.id, self.topic.state.name, counted)

    def _depth(self) -> Iterator[Link]:
        if not self.queue:
            return
        queue = self.queue.state
        if held := depths(self.queue.outputs):
            why = f"{queue.name} holds what could not be delivered: {held}"
            evidence = {"messages": held}
            yield Link(
                "queue-depth", "broken", why, "shnotify dlq list", evidence, resource=queue.id
            )
        else:
            yield Link("queue-depth", "ok", evidence={"messages": 0}, resource=queue.id)
