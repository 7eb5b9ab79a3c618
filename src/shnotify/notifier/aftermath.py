"""What became of one finding on one route: sent, stuck, counted. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from shnotify.aws.failures import AwsError
from shnotify.config.models import Route
from shnotify.engine.health import Link
from shnotify.formatter.finding import Finding
from shnotify.formatter.mail import mark_on
from shnotify.frozen import frozen
from shnotify.notifier import names
from shnotify.notifier.history import Version
from shnotify.notifier.metrics import Metric, of_topic
from shnotify.notifier.tracing import Evidence, Stuck
from shnotify.notifier.words import needs_of

BEFORE, AFTER = timedelta(minutes=1), timedelta(minutes=5)
"""The span around an event in which what became of it is counted.

Metrics are per minute (eb-monitoring). What is retried for longer shows in the queue.
"""


@frozen
class Aftermath:
    """What is known of one finding on one route.

    marker  the formatter's mark of the route
    seen    the finding as it is now
    moment  when it got that form
    """

    route: Route
    marker: str
    evidence: Evidence
    seen: Finding
    moment: datetime | None

    def sent(self) -> datetime | None:
        """Returns when the formatter sent the mail, by its log or by its mark on the finding."""
        found = self.evidence.sent.get(self.route.name)
        seen = self.seen
        if isinstance(found, Mapping) and seen.id in found:
            return found[seen.id]
        if mark_on(seen, self.marker):
            return self.moment
        return None

    def stuck(self) -> Stuck | None:
        """Returns the message in the dead-letter queue that holds it, if there is one."""
        stuck = self.evidence.stuck
        ids = {self.seen.id, self.seen.uid} - {""}
        return next(
            (
                one
                for one in (stuck if isinstance(stuck, tuple) else ())
                if one.findings & ids and one.route in (None, self.route.name)
            ),
            None,
        )

    def lies(self, stuck: Stuck | None) -> list[Link]:
        """Says that it lies in the dead-letter queue."""
        if not stuck:
            return []
        since = f" since {stuck.sent}" if stuck.sent else ""
        why = f"it lies in the dead-letter queue{since}: {stuck.code}: {stuck.cause}; {stuck.cure}"
        evidence = {"message": stuck.message, "error_code": stuck.code, "sent": stuck.sent}
        mend = f"shnotify dlq redrive --id {stuck.message}"
        return [Link("queue-depth", "broken", why, mend, evidence, resource=names.DLQ)]

    def queue(self) -> list[Link]:
        """Says that it does not lie in the queue, or that nobody could look."""
        stuck = self.evidence.stuck
        if stuck is None:
            return []
        if isinstance(stuck, AwsError):
            why = f"whether it lies in the dead-letter queue could not be read: {stuck.message}"
            return [Link("queue-depth", "unknown", why, needs=needs_of(stuck), resource=names.DLQ)]
        return [Link("queue-depth", "ok", evidence={"messages": len(stuck)}, resource=names.DLQ)]

    def counted(self, passed: list[Version], sent: datetime | None) -> list[Link]:
        """Judges what SNS handed over around the event, for all findings of that time together."""
        topic = names.topic_id(self.route)
        counted = self.evidence.counted
        if counted.error:
            why = f"what SNS delivered could not be read: {counted.error.message}"
            needs = needs_of(counted.error)
            return [Link("mail-failures", "unknown", why, needs=needs, resource=topic)]
        delivered, failed = self.delivered(passed, sent)
        evidence = {"delivered": int(delivered), "failed": int(failed)}
        if delivered:
            why = f"around that time SNS could not deliver {in_mails(failed)}" if failed else ""
            verdict: Literal["warning", "ok"] = "warning" if failed else "ok"
            return [Link("mail-failures", verdict, why, evidence=evidence, resource=topic)]
        if failed:
            why = f"around that time SNS could not deliver any of {in_mails(failed)}"
            mend = "shnotify subscriptions list"
            return [Link("mail-failures", "broken", why, mend, evidence, resource=topic)]
        why = "CloudWatch shows no mail around that time: none went out, or its numbers are late"
        return [Link("mail-failures", "unknown", why, evidence=evidence, resource=topic)]

    def delivered(self, passed: list[Version], sent: datetime | None) -> tuple[float, float]:
        topic = self.route.topic.name
        forms = [Version({}, sent)] if sent else passed
        delivered, failed = (
            self.count(of_topic(topic, name), forms)
            for name in ("NumberOfNotificationsDelivered", "NumberOfNotificationsFailed")
        )
        return delivered, failed

    def count(self, metric: Metric, forms: list[Version]) -> float:
        series = self.evidence.counted.series.get(metric, {})
        before = BEFORE + timedelta(seconds=self.evidence.step)
        spans = [(one.moment - before, one.moment + AFTER) for one in forms if one.moment]
        return sum(
            value for at, value in series.items() if any(low <= at <= high for low, high in spans)
        )


def in_mails(count: float) -> str:
    """`1 mail`, `2 mails`."""
    return f"{count:g} mail{'' if count == 1 else 's'}"
