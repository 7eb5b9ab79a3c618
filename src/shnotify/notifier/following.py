"""Follows one finding from Security Hub to the inbox, up to the first link that stopped it. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from shnotify.arns import Scope
from shnotify.config.models import Config, Route
from shnotify.engine.health import Link
from shnotify.findings.importing import imported
from shnotify.findings.matching import Mismatch, explain
from shnotify.findings.reading import wrap
from shnotify.findings.vocabulary import SCHEMAS
from shnotify.formatter.finding import Finding, is_ocsf, read
from shnotify.formatter.mail import mails
from shnotify.frozen import frozen
from shnotify.mail.summary import settings_of
from shnotify.notifier import names
from shnotify.notifier.aftermath import Aftermath, in_mails
from shnotify.notifier.history import CHANGING, History, Version
from shnotify.notifier.inquiry import Answers
from shnotify.notifier.metrics import Metric, of_rule, of_topic
from shnotify.notifier.passage import Passage
from shnotify.notifier.tracing import MAILED, Evidence, Mailed, Stuck, Trace, Way

BEFORE_TOPIC = ("rule", "target", "transformer", "formatter", "topic-policy", "topic-key")
AT_TOPIC = ("subscribers", "filter-policy")
"""The links that a mail passes, of those that are judged without a finding."""


@frozen
class RuleName:
    """A rule of a route: its resource id, and its name in AWS."""

    id: str
    name: str


def metrics_for(route: Route, rules: Iterable[str]) -> tuple[Metric, ...]:
    """Lists what is counted for a route's way.

    rules  the names of its rules
    """
    found = [
        of_rule(rule, name)
        for rule in rules
        for name in ("MatchedEvents", "TriggeredRules", "Invocations", "FailedInvocations")
    ]
    found += [
        of_topic(route.topic.name, name)
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
    rules: Mapping[str, tuple[RuleName, ...]] | None = None,
) -> Trace:
    """Follows a finding on every route.

    histories  one for each Security Hub that has the finding
    passages   the chains as they stand
    rules      route -> its rules, in the order of its passages
    """
    forms, ways, known = tuple(histories), tuple(passages), rules or {}
    found = []
    for route in config.routes:
        mine = [one for one in ways if one.route == route.name]
        possible = [form for form in forms if _belongs(form, route)] or forms
        of_route = known.get(route.name) or (RuleName(names.rule_id(route), route.rule.name),)
        tried = [
            _Route(config, route, mine, scope, evidence, form, of_route).way() for form in possible
        ]
        found.append(min(tried, key=lambda way: MAILED.index(way.mailed)))
    return Trace(finding, forms[0].newest.finding, tuple(found))


def _belongs(history: History, route: Route) -> bool:
    schema = "hub" if is_ocsf(history.newest.finding) else "cspm"
    return schema in {one.name for one in SCHEMAS.get(route.source, SCHEMAS["both"])}


@frozen
class _Route:
    """Follows one finding on one route."""

    config: Config
    route: Route
    passages: list[Passage]
    scope: Scope
    evidence: Evidence
    history: History
    rules: tuple[RuleName, ...]

    def way(self) -> Way:
        """Puts the links in the order in which a finding passes them."""
        standing = self._standing()
        passed = [one for one in self.history.versions if not self._mismatches(one)]
        sent = self._after.sent()
        links = [self._hub()]
        if sent:
            links += [_then(link, sent) for link in self._ordered(standing, BEFORE_TOPIC)]
        else:
            links += self._ordered(standing, ("rule",))
            links += self._too_old(passed)
            links.append(self._pattern(passed))
            links += self._ordered(standing, BEFORE_TOPIC[1:])
            links += self._due(passed)
        stuck = None if sent else self._after.stuck()
        links += self._after.lies(stuck)
        links += self._ordered(standing, AT_TOPIC)
        if not stuck:
            links += self._after.queue()
        links += self._after.counted(passed, sent)
        return self._judged(_until_broken(links), passed, sent, stuck)

    # -- what stands ---------------------------------------------------------------------------------

    def _standing(self) -> list[Link]:
        """Lists the links of the chain as it stands now, without rules that let others through."""
        links = [link for passage in self.passages for link in passage.judged(Answers())]
        takes = [any(not reasons for reasons in each) for each in zip(*self._tried(), strict=True)]
        ids = [rule.id for rule in self.rules]
        others = {rule for rule, taken in zip(ids, takes, strict=False) if not taken}
        return [link for link in links if link.resource not in others or not any(takes)]

    def _tried(self) -> list[list[list[Mismatch]]]:
        """Lists for each form of the finding, and each rule, what keeps the one from the other."""
        patterns = [
            one.rule.state.event_pattern.document if one.rule else one.pattern or {}
            for one in self.passages
        ]
        return [
            [explain(pattern, event) for pattern in patterns]
            for event in map(_event, self.history.versions)
        ]

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
    def _after(self) -> Aftermath:
        marker = self.config.marker(self.route)
        moment = self.history.newest.moment
        return Aftermath(self.route, marker, self.evidence, self._seen, moment)

    @property
    def _seen(self) -> Finding:
        return read(self.history.newest.finding, {})

    # -- was an event let through --------------------------------------------------------------------

    def _mismatches(self, version: Version) -> list[Mismatch]:
        """Lists what keeps one form of the finding from the rule that comes nearest to it."""
        tried = self._tried()[self.history.versions.index(version)]
        return min(tried, key=len, default=[])

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
        doubt = self._changed_since(reasons)
        unseen = "; whether it did before the finding changed cannot be seen" if doubt else ""
        return Link(
            "pattern",
            "unknown" if doubt else "broken",
            f"the rule does not let it through{before}: {told}{unseen}",
            evidence={"mismatches": [reason.to_json() for reason in reasons]},
            resource=rule,
        )

    def _changed_since(self, reasons: list[Mismatch]) -> bool:
        """Whether an earlier form, which is not recorded, may have passed the rule."""
        fields = {one.path.removeprefix("detail.findings.").split(".")[0] for one in reasons}
        return not self.history.complete and fields <= CHANGING

    def _too_old(self, passed: list[Version]) -> list[Link]:
        """Says that the finding last changed before there was a notifier, as far as that is known."""
        born = self.evidence.born
        moments = [one.moment for one in passed or self.history.versions if one.moment]
        if not born or not moments or max(moments) >= born or not passed:
            return []
        silent = not self.evidence.counted.error and not any(
            self._after.count(of_rule(rule.name, name), passed)
            for rule in self.rules
            for name in ("MatchedEvents", "Invocations")
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

    # -- the judgement -------------------------------------------------------------------------------

    def _judged(
        self, links: list[Link], passed: list[Version], sent: datetime | None, stuck: Stuck | None
    ) -> Way:
        broken = next((link for link in links if link.verdict == "broken"), None)
        unknown = next((link for link in links if link.verdict == "unknown"), None)
        delivered, _ = self._after.delivered(passed, sent)
        last = passed[0].moment if passed else self.history.newest.moment
        mailed: Mailed = "unknown"
        moment = sent or last
        since = _text(moment) if moment else None
        if broken:
            since = stuck.sent if stuck and stuck.sent else since
            words = f"{broken.id} is broken now, but a mail may have gone out before that"
            if stuck or not self._in_doubt(links, delivered):
                mailed, words = "no", f"stopped at {broken.id}: {broken.why}"
        elif sent and (unknown is None or unknown.id == "mail-failures"):
            mailed = "yes"
            words = f"as far as can be seen: the formatter sent it at {_text(sent)}, and somebody is subscribed"
        elif unknown is None:
            mailed = "yes"
            words = (
                "as far as can be seen: the rule lets it through, every link stands, and SNS delivered "
                f"{in_mails(delivered)} around {_text(last)}"
            )
        else:
            words = f"nothing stopped it, but whether it was mailed cannot be seen: {unknown.why}"
        message = stuck.message if stuck else None
        return Way(self.route.name, tuple(links), mailed, since, words, message)

    def _in_doubt(self, links: list[Link], delivered: float) -> bool:
        """Whether a mail may have gone out though the last of the links is broken now."""
        if links[-1].id == "pattern":
            return False
        unseen = any(link.id == "pattern" and link.verdict == "unknown" for link in links)
        return unseen or bool(delivered) or self.evidence.counted.error is not None


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


def _text(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else "an unknown time"
