"""What is there before there is a file: where Security Hub is on, and what a notifier could take over.

Every question may be refused or come too late; then the answer says so, and nothing is suggested
from it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import field
from typing import Any, Literal, TypeVar

from shnotify.arns import name_in, service_of
from shnotify.aws.failures import AwsError, DeniedError, StopError
from shnotify.aws.gateway import Aws
from shnotify.aws.operations import action_of
from shnotify.findings.overlap import shared_example
from shnotify.findings.vocabulary import CSPM, HUB
from shnotify.frozen import frozen
from shnotify.notifier.inquiry import origin
from shnotify.notifier.preconditions import SERVICES, is_enabled
from shnotify.resources.lookup import all_tagged

T = TypeVar("T")
MOST = 20
"""How many things of a kind are looked into: more than a person reads."""
AWS_MANAGED = "alias/aws/"
_PATTERNS = [
    {"source": ["aws.securityhub"], "detail-type": [one.detail_type]} for one in (CSPM, HUB)
]


@frozen
class HubRegion:
    """One Region: whether each Security Hub is on there; None could not be told."""

    region: str
    cspm: bool | None = None
    hub: bool | None = None

    @property
    def on(self) -> bool:
        return bool(self.cspm or self.hub)

    def to_json(self) -> dict[str, Any]:
        return {"region": self.region, "cspm": self.cspm, "hub": self.hub}


@frozen
class Hubs:
    """Where Security Hub is on, as far as anybody answered.

    home   the home Region, "" when there is none or it could not be told
    needs  the permissions that were missing
    """

    regions: tuple[HubRegion, ...] = ()
    home: str = ""
    needs: tuple[str, ...] = ()

    @property
    def on(self) -> tuple[HubRegion, ...]:
        return tuple(one for one in self.regions if one.on)

    @property
    def silent(self) -> int:
        """Counts the Regions of which nothing could be told."""
        return sum(one.cspm is None and one.hub is None for one in self.regions)

    def suggested(self, here: str) -> str:
        """Returns the Region for a notifier: the home Region, where all findings come together.

        here  the Region of the credentials; it is taken when Security Hub is on there, too
        """
        if self.home:
            return self.home
        on = [one.region for one in self.on]
        if here in on:
            return here
        return on[0] if len(on) == 1 else ""

    def source(self, region: str) -> Literal["", "hub"]:
        """Returns the `source:` that the Region needs; "" where the default one is right."""
        found = next((one for one in self.regions if one.region == region), None)
        return "hub" if found and found.hub and found.cspm is False else ""


def hubs(aws: Aws) -> Hubs:
    """Asks every Region whether Security Hub is on there, all at once."""
    regional = {region: aws.in_region(region) for region in aws.regions_of("securityhub")}
    asked = {
        (region, service): one.start(is_enabled, one, service)
        for region, one in regional.items()
        for service in SERVICES
    }
    needs: set[str] = set()
    found: dict[tuple[str, str], bool | None] = {
        key: _answer(regional[key[0]], future, needs) for key, future in asked.items()
    }
    regions = tuple(
        HubRegion(region, found[region, "cspm"], found[region, "hub"]) for region in regional
    )
    seen_from = {
        name: next((one.region for one in regions if getattr(one, name)), "") for name in SERVICES
    }
    homes = [_home(regional[region], name, needs) for name, region in seen_from.items() if region]
    home = next((name for name in homes if name), "")
    return Hubs(regions, home, tuple(sorted(needs)))


def _home(aws: Aws, service: str, needs: set[str]) -> str:
    """Returns the home Region of an aggregator, "" for none; every linked Region shows it."""
    try:
        found = origin(aws, [service]).aggregator[service]
    except StopError:
        return ""
    if isinstance(found, AwsError):
        _note(found, needs)
        return ""
    return str(found["home"]) if found else ""


def _answer(aws: Aws, future: Future[T], needs: set[str]) -> T | None:
    """Returns an answer; None when it was refused or is late."""
    try:
        return aws.in_time(future)
    except AwsError as error:
        _note(error, needs)
        return None


def _note(error: AwsError, needs: set[str]) -> None:
    if isinstance(error, DeniedError) and error.operation:
        needs.add(action_of(error.operation))


# -- what could be taken over ----------------------------------------------------------------------


@frozen
class Chain:
    """A rule for Security Hub's findings that somebody made, and what it feeds.

    topic, queue          the names; "" for none, or for one of another account or Region
    topic_key, dlq_key    the ARNs of the keys that encrypt them, "" for none of the account's own
    """

    rule: str
    topic: str = ""
    queue: str = ""
    topic_key: str = ""
    dlq_key: str = ""

    def to_json(self) -> dict[str, Any]:
        return {name: value or None for name, value in vars(self).items()}


@frozen
class Things:
    """What one Region holds.

    keys      alias -> the key's ARN, of the account's own keys
    topics    names; those of a notifier of ours are left out, everywhere
    notifiers the names of our notifiers
    """

    chains: tuple[Chain, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    topics: tuple[str, ...] = ()
    notifiers: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    def chain(self, rule: str) -> Chain | None:
        return next((one for one in self.chains if one.rule == rule), None)


def things(aws: Aws) -> Things:
    """Looks for what a notifier in this Region could take over or use."""
    needs: set[str] = set()
    asked_keys, asked_topics = aws.start(_keys, aws), aws.start(_topics, aws)
    asked_rules, asked_tags = aws.start(_rules, aws), aws.start(all_tagged, aws)
    keys = _answer(aws, asked_keys, needs)
    topics = _answer(aws, asked_topics, needs)
    rules = _answer(aws, asked_rules, needs)
    tagged = _answer(aws, asked_tags, needs) or {}
    ours = {name_in(arn) for arn in tagged}
    keys = {alias: arn for alias, arn in (keys or {}).items() if arn not in tagged}
    fed = {rule: aws.start(_chain, aws, rule) for rule in rules or () if rule not in ours}
    chains = [_answer(aws, future, needs) or Chain(rule) for rule, future in fed.items()]
    return Things(
        tuple(chains),
        keys,
        tuple(name for name in topics or () if name not in ours),
        tuple(sorted(set(tagged.values()))),
        tuple(sorted(needs)),
    )


def _keys(aws: Aws) -> dict[str, str]:
    """Lists the account's own keys by alias (API_ListAliases)."""
    scope = aws.scope
    begin = f"arn:{scope.partition}:kms:{scope.region}:{scope.account}:key/"
    return {
        one["AliasName"]: begin + one["TargetKeyId"]
        for page in aws.pages(aws.kms.list_aliases, "Marker")
        for one in page["Aliases"]
        if one.get("TargetKeyId") and not one["AliasName"].startswith(AWS_MANAGED)
    }


def _topics(aws: Aws) -> list[str]:
    """Lists the topics by name; no FIFO topic, which takes no e-mail (API_ListTopics)."""
    pages = aws.pages(aws.sns.list_topics, "NextToken")
    names = (name_in(one["TopicArn"]) for page in pages for one in page.get("Topics", ()))
    return [name for name in names if not name.endswith(".fifo")]


def _rules(aws: Aws) -> list[str]:
    """Lists the rules that Security Hub's findings may match; none that AWS manages."""
    return [
        rule["Name"]
        for page in aws.pages(aws.events.list_rules, "NextToken")
        for rule in page["Rules"]
        if not rule.get("ManagedBy") and _is_about_findings(rule.get("EventPattern"))
    ][:MOST]


def _is_about_findings(text: str | None) -> bool:
    try:
        pattern = json.loads(text or "")
    except ValueError:
        return False
    return isinstance(pattern, dict) and any(shared_example(one, pattern) for one in _PATTERNS)


def _chain(aws: Aws, rule: str) -> Chain:
    """Follows a rule to its topic, its dead-letter queue and their keys."""
    targets = [
        target
        for page in aws.pages(aws.events.list_targets_by_rule, "NextToken", Rule=rule)
        for target in page["Targets"]
    ]
    feeds = [one for one in targets if service_of(one["Arn"]) == "sns"]
    topic = next((one["Arn"] for one in feeds), "")
    dead = ((one.get("DeadLetterConfig") or {}).get("Arn") or "" for one in feeds)
    queue = next((arn for arn in dead if arn), "")
    topic, queue = (arn if _is_here(aws, arn) else "" for arn in (topic, queue))
    return Chain(
        rule,
        name_in(topic) if topic else "",
        name_in(queue) if queue else "",
        _key(aws, lambda: aws(aws.sns.get_topic_attributes, TopicArn=topic)) if topic else "",
        _key(aws, lambda: _queue_attributes(aws, queue)) if queue else "",
    )


def _is_here(aws: Aws, arn: str) -> bool:
    scope = aws.scope
    return arn.split(":")[3:5] == [scope.region, scope.account]


def _queue_attributes(aws: Aws, arn: str) -> Any:
    from shnotify.resources.lookup import queue_url

    return aws(
        aws.sqs.get_queue_attributes,
        QueueUrl=queue_url(aws, arn),
        AttributeNames=["KmsMasterKeyId"],
    )


def _key(aws: Aws, ask: Callable[[], Mapping[str, Any]]) -> str:
    """Returns the ARN of the key that encrypts a thing; "" for none, or for one that AWS manages."""
    from shnotify.resources.lookup import key_arn

    try:
        named = str((ask().get("Attributes") or {}).get("KmsMasterKeyId") or "")
        found = key_arn(aws, named) if not named.startswith(AWS_MANAGED) else ""
    except StopError:
        raise
    except AwsError:
        return ""
    return found if service_of(found) == "kms" else ""


def listed(names: Iterable[str], most: int = 8) -> str:
    """Lists names for a reader, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more
