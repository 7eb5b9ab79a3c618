"""Follows one finding from Security Hub to the inbox, up to the first link that stopped it. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from shnotify.arns import Scope
from shnotify.aws.failures import AwsError
from shnotify.config.models import Config, Route
from shnotify.engine.health import Link
from shnotify.findings.importing import imported
from shnotify.findings.matching import Mismatch, explain
from shnotify.findings.reading import wrap
from shnotify.findings.vocabulary import SCHEMAS
from shnotify.formatter.finding import Finding, is_ocsf, read
from shnotify.formatter.mail import mails, mark_on
from shnotify.mail.summary import settings_of
from shnotify.notifier import names
from shnotify.notifier.history import CHANGING, History, Version
from shnotify.notifier.inquiry import Answers
from shnotify.notifier.metrics import Metric, of_rule, of_topic
from shnotify.notifier.passage import Passage
from shnotify.notifier.tracing import MAILED, Evidence, Mailed, Stuck, Trace, Way
from shnotify.notifier.words import needs_of

BEFORE_TOPIC = ("rule", "target", "transformer", "formatter", "topic-policy", "topic-key")
AT_TOPIC = ("subscribers", "filter-policy")
"""The links that a mail passes, of those that are judged without a finding."""
BEFORE, AFTER = timedelta(minutes=1), timedelta(minutes=5)
"""The span around an event in which what became of it is counted.

Metrics are per minute (eb-monitoring). What is retried for longer shows in the queue.
"""


def metrics_for(route: Route) -> tuple[Metric, ...]:
    """Lists what is counted for a route's way."""
    rule, topic = route.rule.name, route.topic.name
    found = [of_rule(rule, name) for name in ("MatchedEvents", "TriggeredRules", "Invocations")]
    found += [of_rule(rule, "FailedInvocations")]
    found += [
        of_topic(topic, name)
        for name in ("NumberOfNotificationsDelivered", "NumberOfNotificationsFailed")
    ]
    return tuple(found)


def traced(
    finding: str,
    histories: Iterable[History],
    config: Config,
    passages: Iterable[Passage],
    scope: Scope,
    evidence: Evidence,
) -> Trace:
    """Follows a finding on every route.

    histories  one for each Security Hub that has the finding
    passages   the chains as they stand
    """
    forms, ways = tuple(histories), tuple(passages)
    found = []
    for route in config.routes:
        mine = [one for one in ways if one.route == route.name]
        possible = [form for form in forms if _belongs(form, route)] or forms
        tried = [_Route(config, route, mine, scope, evidence, form).way() for form in possible]
        found.append(min(tried, key=lambda way: MAILED.index(way.mailed)))
    return Trace(finding, forms[0].newest.finding, tuple(found))


def _belongs(history: History, route: Route) -> bool:
    schema = "hub" if is_ocsf(history.newest.finding) else "cspm"
    return schema in {one.name for one in SCHEMAS.get(route.source, SCHEMAS["both"])}


@dataclass(frozen=True)
class _Route:
    """Follows one finding on one route."""

    config: Config
    route: Route
    passages: list[Passage]
    scope: Scope
    evidence: Evidence
    history: History

    def way(self) -> Way:
        """Puts the links in the order in which a finding passes them."""
        standing = self._standing()
        passed = [one for one in self.history.versions if not self._mismatches(one)]
        sent = self._sent()
        links = [self._hub()]
        if sent:
            links += [_then(link, sent) for link in self._ordered(standing, BEFORE_TOPIC)]
        else:
            links += self._ordered(standing, ("rule",))
            links += self._too_old(passed)
            links.append(self._pattern(passed))
            links += self._ordered(standing, BEFORE_TOPIC[1:])
            links += self._due(passed)
        stuck = None if sent else self._stuck()
        links += self._lies(stuck)
        links += self._ordered(standing, AT_TOPIC)
        if not stuck:
            links += self._queue()
        links += self._counted(passed, sent)
        return self._judged(_until_broken(links), passed, sent, stuck)

    # -- what stands ---------------------------------------------------------------------------------

    def _standing(self) -> list[Link]:
        """Lists the links of the chain as it stands now."""
        return [link for passage in self.passages for link in passage.judged(Answers())]

    def _ordered(self, standing: list[Link], ids: tuple[str, ...]) -> list[Link]:
        """Picks links of these ids, each id once: what is broken counts before what is not known."""
        found = []
        for name in ids:
            same = [link for link in standing if link.id == name]
            worst = ("broken", "unknown", "warning", "ok")
            if same:
                found.append(min(same, key=lambda link: worst.index(link.verdict)))
        return found

    def _hub(self) -> Link:
        """Says that an event came, for the finding is there (securityhub-cwe-event-types)."""
        seen = self._seen
        evidence = {
            "finding": seen.id or seen.uid,
            "product": seen.product,
            "updated": seen.updated,
        }
        evidence |= {"workflow": seen.status, "state": seen.state}
        return Link("hub", "ok", evidence=evidence)

    @property
    def _seen(self) -> Finding:
        return read(self.history.newest.finding, {})

    # -- was an event let through --------------------------------------------------------------------

    def _mismatches(self, version: Version) -> list[Mismatch]:
        """Lists what keeps one form of the finding from every rule of the route."""
        found: list[Mismatch] = []
        for passage in self.passages:
            pattern = passage.rule.state.event_pattern.document if passage.rule else passage.pattern
            reasons = explain(pattern or {}, _event(version))
            if not reasons:
                return []
            found = found or reasons
        return found

    def _pattern(self, passed: list[Version]) -> Link:
        rule = names.rule_id(self.route)
        if passed:
            evidence = {"event": _text(passed[0].moment)}
            return Link("pattern", "ok", evidence=evidence, resource=rule)
        reasons = self._mismatches(self.history.newest)
        told = "; ".join(_in_words(reason) for reason in reasons[:3])
        before = "" if self.history.complete else ", as it is now"
        if self.history.complete and len(self.history.versions) > 1:
            before = ", nor did any earlier form of it"
        return Link(
            "pattern",
            "broken",
            f"the rule does not let it through{before}: {told}",
            evidence={"mismatches": [reason.to_json() for reason in reasons]},
            resource=rule,
        )

    def _too_old(self, passed: list[Version]) -> list[Link]:
        """Says that the finding last changed before there was a notifier, as far as that is known."""
        born = self.evidence.born
        moments = [one.moment for one in passed or self.history.versions if one.moment]
        if not born or not moments or max(moments) >= born or not passed:
            return []
        rule = self.route.rule.name
        silent = not self.evidence.counted.error and not any(
            self._count(of_rule(rule, name), passed) for name in ("MatchedEvents", "Invocations")
        )
        why = (
            f"it last changed at {_text(max(moments))}, before this notifier's key was made ({_text(born)}), "
            "and no event came since: only new and changed findings are mailed"
        )
        verdict: Literal["broken", "unknown"] = "broken" if silent else "unknown"
        return [Link("rule", verdict, why, resource=names.rule_id(self.route))]

    def _due(self, passed: list[Version]) -> list[Link]:
        """Asks the formatter's own code whether it makes a mail of any form that was let through."""
        if self.route.message.format != "lambda" or not passed:
            return []
        settings = settings_of(
            self.route.message,
            marker=self.config.marker(self.route),
            topic_arn=self.scope.topic(self.route.topic.name),
        )
        if any(mails(_event(one), settings) for one in passed):
            return []
        why = f"the formatter leaves it out (dedup: {settings.dedup}): {_LEFT_OUT[settings.dedup]}"
        return [Link("formatter", "broken", why, resource=names.formatter_id(self.route))]

    # -- what became of it ---------------------------------------------------------------------------

    def _sent(self) -> datetime | None:
        """Returns when the formatter sent the mail, by its log or by its mark on the finding."""
        found = self.evidence.sent.get(self.route.name)
        seen = self._seen
        if isinstance(found, Mapping) and seen.id in found:
            return found[seen.id]
        if mark_on(seen, self.config.marker(self.route)):
            return self.history.newest.moment
        return None

    def _stuck(self) -> Stuck | None:
        """Returns the message in the dead-letter queue that holds it, if there is one."""
        stuck = self.evidence.stuck
        ids = {self._seen.id, self._seen.uid} - {""}
        return next(
            (
                one
                for one in (stuck if isinstance(stuck, tuple) else ())
                if one.findings & ids and one.route in (None, self.route.name)
            ),
            None,
        )

    def _lies(self, stuck: Stuck | None) -> list[Link]:
        """Says that it lies in the dead-letter queue."""
        if not stuck:
            return []
        since = f" since {stuck.sent}" if stuck.sent else ""
        why = f"it lies in the dead-letter queue{since}: {stuck.code}: {stuck.cause}; {stuck.cure}"
        evidence = {"message": stuck.message, "error_code": stuck.code, "sent": stuck.sent}
        mend = f"shnotify dlq redrive --id {stuck.message}"
        return [Link("queue-depth", "broken", why, mend, evidence, resource=names.DLQ)]

    def _queue(self) -> list[Link]:
        """Says that it does not lie in the queue, or that nobody could look."""
        stuck = self.evidence.stuck
        if stuck is None:
            return []
        if isinstance(stuck, AwsError):
            why = f"whether it lies in the dead-letter queue could not be read: {stuck.message}"
            return [Link("queue-depth", "unknown", why, needs=needs_of(stuck), resource=names.DLQ)]
        return [Link("queue-depth", "ok", evidence={"messages": len(stuck)}, resource=names.DLQ)]

    def _counted(self, passed: list[Version], sent: datetime | None) -> list[Link]:
        """Judges what SNS handed over around the event, for all findings of that time together."""
        topic = names.topic_id(self.route)
        counted = self.evidence.counted
        if counted.error:
            why = f"what SNS delivered could not be read: {counted.error.message}"
            needs = needs_of(counted.error)
            return [Link("mail-failures", "unknown", why, needs=needs, resource=topic)]
        delivered, failed = self._delivered(passed, sent)
        evidence = {"delivered": int(delivered), "failed": int(failed)}
        if delivered:
            why = f"around that time SNS could not deliver {_mails(failed)}" if failed else ""
            verdict: Literal["warning", "ok"] = "warning" if failed else "ok"
            return [Link("mail-failures", verdict, why, evidence=evidence, resource=topic)]
        if failed:
            why = f"around that time SNS could not deliver any of {_mails(failed)}"
            mend = "shnotify subscriptions list"
            return [Link("mail-failures", "broken", why, mend, evidence, resource=topic)]
        why = "CloudWatch shows no mail around that time: none went out, or its numbers are late"
        return [Link("mail-failures", "unknown", why, evidence=evidence, resource=topic)]

    def _delivered(self, passed: list[Version], sent: datetime | None) -> tuple[float, float]:
        topic = self.route.topic.name
        forms = [Version({}, sent)] if sent else passed
        delivered, failed = (
            self._count(of_topic(topic, name), forms)
            for name in ("NumberOfNotificationsDelivered", "NumberOfNotificationsFailed")
        )
        return delivered, failed

    def _count(self, metric: Metric, forms: list[Version]) -> float:
        series = self.evidence.counted.series.get(metric, {})
        before = BEFORE + timedelta(seconds=self.evidence.step)
        spans = [(one.moment - before, one.moment + AFTER) for one in forms if one.moment]
        return sum(
            value for at, value in series.items() if any(low <= at <= high for low, high in spans)
        )

    # -- the judgement -------------------------------------------------------------------------------

    def _judged(
        self, links: list[Link], passed: list[Version], sent: datetime | None, stuck: Stuck | None
    ) -> Way:
        broken = next((link for link in links if link.verdict == "broken"), None)
        unknown = next((link for link in links if link.verdict == "unknown"), None)
        delivered, _ = self._delivered(passed, sent)
        last = passed[0].moment if passed else self.history.newest.moment
        mailed: Mailed = "unknown"
        moment = sent or last
        since = _text(moment) if moment else None
        if broken:
            mailed = "unknown" if not stuck and self._in_doubt(broken, delivered) else "no"
            since = stuck.sent if stuck and stuck.sent else since
            words = f"stopped at {broken.id}: {broken.why}"
        elif sent and (unknown is None or unknown.id == "mail-failures"):
            mailed = "yes"
            words = f"as far as can be seen: the formatter sent it at {_text(sent)}, and somebody is subscribed"
        elif unknown is None:
            mailed = "yes"
            words = (
                "as far as can be seen: the rule lets it through, every link stands, and SNS delivered "
                f"{_mails(delivered)} around {_text(last)}"
            )
        else:
            words = f"nothing stopped it, but whether it was mailed cannot be seen: {unknown.why}"
        return Way(self.route.name, tuple(links), mailed, since, words)

    def _in_doubt(self, broken: Link, delivered: float) -> bool:
        """Whether a mail may have gone out though the link is broken now."""
        if broken.id == "pattern":
            reasons = broken.evidence.get("mismatches", ())
            fields = {
                reason["path"].removeprefix("detail.findings.").split(".")[0] for reason in reasons
            }
            return not self.history.complete and fields <= CHANGING
        return bool(delivered) or self.evidence.counted.error is not None


_LEFT_OUT = {
    "none": "it finds nothing to mail in the event",
    "new-only": "only a finding's first event is mailed, and this one came later",
    "notified": "its status was NOTIFIED already, so that it had been mailed or was seen to before",
}


def _event(version: Version) -> dict[str, Any]:
    """Returns the event of one form, with what Security Hub fills in where it does not show it."""
    finding = version.finding
    return wrap(finding if is_ocsf(finding) else imported(finding)[0])


def _then(link: Link, sent: datetime) -> Link:
    """Returns a link before the topic as it was for a mail that did go out."""
    if not link.stops:
        return link
    return replace(
        link, verdict="warning", why=f"{link.why} (but the mail went out at {_text(sent)})"
    )


def _until_broken(links: list[Link]) -> list[Link]:
    end = next((n for n, link in enumerate(links) if link.verdict == "broken"), len(links))
    return links[: end + 1]


def _in_words(reason: Mismatch) -> str:
    """`Severity.Label is "LOW"; it must be "CRITICAL" or "HIGH"`."""
    path = reason.path.removeprefix("detail.findings.")
    actual = "is not there" if reason.actual is None else f"is {_brief(reason.actual)}"
    return f"{path} {actual}; it must be {' or '.join(_brief(one) for one in reason.expected)}"


def _brief(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:100]}…"


def _mails(count: float) -> str:
    return f"{count:g} mail{'' if count == 1 else 's'}"


def _text(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else "an unknown time"
