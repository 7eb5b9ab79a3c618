"""Sends a test finding through a route, watches what becomes of it, and puts it away."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from shnotify.arns import Scope
from shnotify.aws.failures import AwsError, StopError
from shnotify.aws.gateway import Aws
from shnotify.config.models import Config, Route
from shnotify.errors import ShnotifyError
from shnotify.frozen import frozen
from shnotify.notifier import evidence
from shnotify.notifier.hops import Hop, Watched
from shnotify.notifier.inspection import now_of
from shnotify.notifier.metrics import Metric, of_rule, of_topic
from shnotify.notifier.queuereading import depth_of
from shnotify.notifier.specimen import Order, archived, prefix_of, product_arn

FIRST_SECONDS, MOST_SECONDS = 2.0, 15.0
"""Pauses between looks: metrics come once a minute."""
_BATCH = 100
_TRIES = 5


@frozen
class Target:
    """What a test watches.

    rules      the names of the route's rules
    log_group  the formatter's, or None
    queue_arn  the dead-letter queue's, or None
    """

    route: Route
    rules: tuple[str, ...]
    log_group: str | None
    queue_arn: str | None

    @property
    def metrics(self) -> dict[str, tuple[tuple[Metric, ...], ...]]:
        """Maps each count of `Watched` to groups of metrics.

        It is the sum over the groups of the largest of each.
        """
        topic = self.route.topic.name
        of_rules = {
            "matched": ("MatchedEvents", "TriggeredRules"),
            "invoked": ("Invocations",),
            "failed": ("FailedInvocations",),
            "kept": ("InvocationsSentToDlq",),
            "lost": ("InvocationsFailedToBeSentToDlq",),
        }
        of_topics = {
            "published": "NumberOfMessagesPublished",
            "delivered": "NumberOfNotificationsDelivered",
            "bounced": "NumberOfNotificationsFailed",
        }
        found = {
            count: tuple(tuple(of_rule(rule, name) for name in names) for rule in self.rules)
            for count, names in of_rules.items()
        }
        return found | {count: ((of_topic(topic, name),),) for count, name in of_topics.items()}


def unique() -> str:
    return str(uuid.uuid4())


def caller(aws: Aws) -> str:
    """Names the caller for a person: `Admin/alice` of an assumed role, `user/alice`."""
    try:
        arn = aws(aws.sts.get_caller_identity)["Arn"]
    except StopError:
        raise
    except AwsError:
        return "somebody"
    return str(arn).partition("::")[2].partition(":")[2].removeprefix("assumed-role/") or "somebody"


class Probe:
    """One test.

    awaited  how many mails SNS surely has to hand over, or None
    show     receives what was seen so far, and the seconds since the beginning
    """

    def __init__(
        self,
        aws: Aws,
        config: Config,
        scope: Scope,
        target: Target,
        awaited: int | None,
        show: Callable[[Watched, float], None],
    ) -> None:
        self._aws = aws
        self._config = config
        self._scope = scope
        self._target = target
        self._show = show
        self._began = aws.clock.now()
        self._start = now_of(aws)
        self._base: Mapping[str, float] = {}
        self._read_depth = 0
        self.seen = Watched(awaited=awaited)

    @property
    def _elapsed(self) -> float:
        return self._aws.clock.now() - self._began

    def send(self, finding: Mapping[str, Any]) -> None:
        """Imports the finding. What Security Hub says against it is kept."""
        self._base = self._counts()[0]
        self._began = self._aws.clock.now()
        self._start = now_of(self._aws)
        why = import_one(self._aws, finding)
        self.seen = replace(self.seen, imported=None if why else self._elapsed, refused=why or None)

    def publish(self, subject: str, text: str) -> str:
        """Publishes a mail to the topic itself; returns the message's id."""
        self._base = self._counts()[0]
        self._began = self._aws.clock.now()
        self._start = now_of(self._aws)
        topic = self._scope.topic(self._target.route.topic.name)
        reply = self._aws(self._aws.sns.publish, TopicArn=topic, Subject=subject, Message=text)
        self.seen = replace(self.seen, imported=0.0, sent=self._elapsed)
        return reply["MessageId"]

    def watch(self, identity: str | None, seconds: float) -> None:
        """Looks again and again until all is seen, or time is up.

        identity  the test finding's id; None: only the topic's counts
        """
        pause = FIRST_SECONDS
        end = self._aws.clock.now() + seconds
        while True:
            self._look(identity)
            self._show(self.seen, self._elapsed)
            left = end - self._aws.clock.now()
            if self.seen.settled or left <= 0:
                break
            self._aws.pause(min(pause, left))
            pause = min(pause * 1.5, MOST_SECONDS)
        if identity and self.seen.imported is not None:
            self._look_into_queue(identity, at_last=True)
            self._show(self.seen, self._elapsed)

    def _look(self, identity: str | None) -> None:
        counts, problem = self._counts()
        rose = {name: value - self._base.get(name, 0) for name, value in counts.items()}
        first = dict(self.seen.first)
        for name, value in rose.items():
            if value > 0:
                first.setdefault(name, self._elapsed)
        self.seen = replace(self.seen, counts=rose, first=first, counting=problem)
        if identity:
            self._look_into_log(identity)
            self._look_into_queue(identity, at_last=False)

    def _counts(self) -> tuple[dict[str, float], str | None]:
        """Reads how much was counted since the test began, and why not."""
        wanted = self._target.metrics
        flat = tuple(one for groups in wanted.values() for group in groups for one in group)
        now = now_of(self._aws)
        begin = self._start - timedelta(seconds=self._start.timestamp() % 60)
        found = evidence.counts(self._aws, flat, begin, now, now)
        if found.error:
            return {}, found.error.message
        counts = {
            name: sum(max(found.total(metric) for metric in group) for group in groups)
            for name, groups in wanted.items()
        }
        return counts, None

    def _look_into_log(self, identity: str) -> None:
        group = self._target.log_group
        if not group or self.seen.sent is not None:
            return
        begin, end = self._start - timedelta(minutes=1), now_of(self._aws) + timedelta(minutes=1)
        try:
            lines = evidence.log_events(self._aws, group, begin, end, identity)
        except StopError:
            raise
        except AwsError:
            return
        for line in lines:
            at = self._since(line.get("timestamp"))
            if evidence.is_sent(line["message"], identity):
                self.seen = replace(self.seen, sent=at, failure=None, failed_at=None)
                return
            if "Error" in line["message"]:
                why = line["message"].strip()[:500]
                self.seen = replace(self.seen, failure=why, failed_at=at)

    def _since(self, milliseconds: Any) -> float:
        """Returns a log line's time in seconds after the beginning, by the log's clock."""
        if not isinstance(milliseconds, int):
            return self._elapsed
        return max(0.0, milliseconds / 1000 - self._start.timestamp())

    def _look_into_queue(self, identity: str, *, at_last: bool) -> None:
        """Reads the queue, and gives all back; not while SQS counts as many messages as before."""
        arn = self._target.queue_arn
        if arn is None:
            self.seen = replace(self.seen, queue="")
            return
        if self.seen.stuck:
            return
        try:
            depth = depth_of(self._aws, arn).waiting
            if depth == self._read_depth and not at_last:
                return
            found = evidence.stuck_in(self._aws, arn, self._config, self._scope)
        except StopError:
            raise
        except ShnotifyError as error:
            self.seen = replace(self.seen, queue=f"the queue could not be read: {error.message}")
            return
        self._read_depth = depth
        stuck = next((one for one in found if identity in one.findings), None)
        at = self._elapsed if stuck else None
        self.seen = replace(self.seen, stuck=stuck, stuck_at=at, queue=None)


def import_one(aws: Aws, finding: Mapping[str, Any]) -> str:
    """Imports a finding; returns why Security Hub did not take it, or ""."""
    one: Any = finding
    try:
        reply = aws(aws.securityhub.batch_import_findings, Findings=[one])
    except StopError:
        raise
    except AwsError as error:
        return error.message
    refused = reply.get("FailedFindings") or []
    return "; ".join(f"{each['ErrorCode']}: {each['ErrorMessage']}" for each in refused) or (
        "Security Hub did not take it" if reply.get("FailedCount") else ""
    )


# -- putting it away -------------------------------------------------------------------------------


def put_away(aws: Aws, finding: Mapping[str, Any], order: Order) -> Hop:
    """Resolves and archives a test finding, in the order that sends the fewest mails.

    Its `resolved` hop says what became of that. Raises `StopError` when no call can succeed.
    """
    begun = aws.clock.now()
    steps = {"resolve": _resolve, "archive": _archive}
    rest = "archive" if order.first == "resolve" else "resolve"
    problems = [why for name in (order.first, rest) if (why := steps[name](aws, finding))]
    if problems:
        why = f"{'; '.join(problems)}; the next `shnotify test` tries again"
        return Hop("resolved", "failed", None, why)
    return Hop("resolved", "ok", aws.clock.now() - begun)


def _resolve(aws: Aws, finding: Mapping[str, Any]) -> str:
    """Sets the workflow; an import may take a moment until it can be updated."""
    identity: Any = {"Id": finding["Id"], "ProductArn": finding["ProductArn"]}
    why = ""
    for attempt in range(_TRIES):
        if attempt:
            aws.pause(2)
        try:
            reply = aws(
                aws.securityhub.batch_update_findings,
                FindingIdentifiers=[identity],
                Workflow={"Status": "RESOLVED"},
            )
        except StopError:
            raise
        except AwsError as error:
            return error.message
        refused = reply.get("UnprocessedFindings") or []
        if not refused:
            return ""
        why = "; ".join(f"{one['ErrorCode']}: {one['ErrorMessage']}" for one in refused)
    return f"it could not be resolved: {why}"


def _archive(aws: Aws, finding: Mapping[str, Any]) -> str:
    why = import_one(aws, archived(finding, now_of(aws)))
    return f"it could not be archived: {why}" if why else ""


def left_over(aws: Aws, name: str, scope: Scope) -> list[dict[str, Any]]:
    """Finds the test findings of this notifier that an earlier run left behind.

    Raises `AwsError`.
    """
    prefix, product = prefix_of(name), product_arn(scope)
    filters: Any = {
        "Id": [{"Value": prefix, "Comparison": "PREFIX"}],
        "ProductArn": [{"Value": product, "Comparison": "EQUALS"}],
        "RecordState": [{"Value": "ACTIVE", "Comparison": "EQUALS"}],
    }
    pages = aws.pages(aws.securityhub.get_findings, "NextToken", Filters=filters, MaxResults=_BATCH)
    found: Sequence[dict[str, Any]] = [one for page in pages for one in page["Findings"]]
    return [
        one
        for one in found
        if str(one.get("Id", "")).startswith(prefix)
        and one.get("ProductArn") == product
        and one.get("RecordState") == "ACTIVE"
    ]
