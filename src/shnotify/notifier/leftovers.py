"""What is ours in AWS but no longer in the file: found by tag, and by what still points at us."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from operator import itemgetter

from shnotify.arns import Scope, name_in, service_of
from shnotify.aws.failures import AwsError, StopError
from shnotify.aws.gateway import Aws
from shnotify.engine.graph import Graph
from shnotify.engine.ownership import owner_of
from shnotify.engine.resource import Live, Observed, Resource, Unreadable
from shnotify.engine.values import Pattern, Policy, Tags
from shnotify.resources.function import Function
from shnotify.resources.key import Key
from shnotify.resources.loggroup import PREFIX, LogGroup
from shnotify.resources.lookup import feeders, subscription_identity, subscriptions, tagged
from shnotify.resources.queue import Queue, depths
from shnotify.resources.role import Role, role_name
from shnotify.resources.rule import Rule
from shnotify.resources.subscription import Subscription
from shnotify.resources.topic import Topic
from shnotify.tags import NAME_TAG, RESOURCE_TAG

Leftover = tuple[Resource, Live[Resource] | Unreadable]


@dataclass(frozen=True)
class Finder:
    """Looks for everything that carries notifier `name`'s tag and is not wanted any more.

    pointers  also for what our live resources name, and for rules that feed our topics: a tag search may be minutes
              behind (tag:GetResources promises nothing)
    """

    aws: Aws
    graph: Graph
    name: str
    pointers: bool

    def prepare(self) -> None:
        """Asks early, beside all other reads, what `find` will need. A refusal is kept for `find` to raise."""
        topics = [r for r in self.graph if isinstance(r, Topic)] if self.pointers else []
        pending = [self.aws.start(feeders, self.aws, topic.topic_arn) for topic in topics]
        with suppress(AwsError):
            tagged(self.aws, self.name)
        for future in pending:
            future.exception()

    def find(self, wanted: Mapping[str, Observed], /) -> tuple[Leftover, ...]:
        """What is left over. Raises `AwsError` when it cannot look.

        A tag found by search proves nothing (it may be an old one), so each candidate is read before it counts.
        """
        found = {t.arn: t.tags.get(RESOURCE_TAG) for t in tagged(self.aws, self.name)}
        for arn in _pointed_at(self.aws, wanted.values()) if self.pointers else ():
            found.setdefault(arn)
        asked = {text for r in self.graph for f in fields(r) if isinstance(text := getattr(r, f.name), str)}
        asked |= {live.outputs["Arn"] for live in wanted.values() if isinstance(live, Live)}
        seen: list[Leftover] = []
        while new := {arn: hint for arn, hint in found.items() if arn not in asked}:
            for companion in [c for arn in new for c in _companions(arn) if c not in asked]:
                new.setdefault(companion)
            asked |= new.keys()
            looked = self._look(new)
            seen += looked
            # The search may show a topic and not yet its rule: without its topic that would feed nobody.
            found = dict.fromkeys(_pointed_at(self.aws, (live for _, live in looked)))
        taken = {r.id for r in self.graph}
        result: list[Leftover] = []
        holding = _holding(wanted, [live for _, live in seen])
        for resource, live in seen:
            if isinstance(wanted.get(resource.id), Unreadable):
                continue  # it may be the wanted one itself
            if holding and isinstance(resource, Key) and isinstance(live, Live) and not live.blocked:
                live = replace(live, blocked=f"{holding} holds messages that may be encrypted with it, so it stays")
            if resource.id in taken:
                digest = hashlib.sha256((resource.arn or resource.name).encode()).hexdigest()[:8]
                resource = replace(resource, id=f"{resource.id}Leftover{digest}")
            taken.add(resource.id)
            result.append((resource, live))
        return (*result, *_unlisted(self.aws, self.graph))

    def _look(self, found: Mapping[str, str | None]) -> list[Leftover]:
        """What of these is ours."""
        guards = tuple(r.queue_arn for r in self.graph if isinstance(r, Queue))
        candidates = [_resource(arn, hint, self.name, guards) for arn, hint in sorted(found.items())]
        with ThreadPoolExecutor(8, thread_name_prefix="leftovers") as pool:
            seen = list(pool.map(lambda r: _identify(self.aws, r), [c for c in candidates if c]))
        return [one for one in seen if one]


def _holding(wanted: Mapping[str, Observed], left: Iterable[Live[Resource] | Unreadable]) -> str | None:
    """The name of a queue of ours that holds messages, or None."""
    lives = [*wanted.values(), *left]
    queues = (live for live in lives if isinstance(live, Live) and isinstance(live.state, Queue) and live.owner is None)
    return next((live.state.name for live in queues if depths(live.outputs)), None)


def _pointed_at(aws: Aws, lives: Iterable[Observed]) -> Iterable[str]:
    """ARNs that our live resources name, and rules that feed our topics (events:ListRuleNamesByTarget)."""
    for live in lives:
        if not isinstance(live, Live) or live.owner is not None:
            continue
        match live.state:
            case Rule(targets=targets):
                yield str(targets.get("Arn", ""))
                yield str((targets.get("DeadLetterConfig") or {}).get("Arn", ""))
            case Topic(topic_arn=arn, kms_master_key_id=key):
                yield key
                prefix = arn.replace(":sns:", ":events:").rpartition(":")[0]
                yield from (f"{prefix}:rule/{rule}" for rule in feeders(aws, arn))
            case Queue(kms_master_key_id=key):
                yield key


def _companions(arn: str) -> Iterable[str]:
    """What a formatter's function leaves beside it. GetResources finds no roles (its supported services), so a role is
    known by its function's name; in a removal it goes before the log group, which keeps that name until the end.
    """
    service = service_of(arn)
    if service not in ("lambda", "logs"):
        return
    scope, name = Scope(*itemgetter(1, 3, 4)(arn.split(":"))), name_in(arn)
    yield scope.role(role_name(name, scope.region))
    if service == "lambda":
        yield scope.log_group(f"{PREFIX}{name}")


def _resource(arn: str, hint: str | None, name: str, guards: tuple[str, ...]) -> Resource | None:
    """A resource of the right kind for an ARN, with nothing wanted of it; None for a kind that is not ours."""
    tags = Tags.of({NAME_TAG: name})
    match service_of(arn):
        case "kms" if ":key/" in arn:
            return Key(
                id=hint or "Key",
                key_id=name_in(arn),
                alias_name="",
                enable_key_rotation=False,
                description="",
                key_policy=Policy({}),
                guards=guards,
                tags=tags,
            )
        case "sqs":
            return Queue(
                id=hint or "Queue",
                queue_name=name_in(arn),
                queue_arn=arn,
                visibility_timeout=0,
                message_retention_period=0,
                delay_seconds=0,
                maximum_message_size=0,
                receive_message_wait_time_seconds=0,
                kms_master_key_id="",
                kms_data_key_reuse_period_seconds=None,
                policy_document=Policy({}),
                tags=tags,
            )
        case "sns" if arn.count(":") == 5:
            return Topic(
                id=hint or "Topic",
                topic_name=name_in(arn),
                topic_arn=arn,
                display_name="",
                kms_master_key_id="",
                policy_document=Policy({}),
                tags=tags,
            )
        case "events" if ":rule/" in arn and arn.count("/") == 1:
            return Rule(
                id=hint or "Rule",
                rule_name=name_in(arn),
                rule_arn=arn,
                event_pattern=Pattern({}),
                description="",
                state="",
                targets={},
                tags=tags,
            )
        case "lambda" if ":function:" in arn:
            return Function(
                id=hint or "Function",
                function_name=name_in(arn),
                function_arn=arn,
                description="",
                role="",
                runtime="",
                handler="",
                timeout=0,
                memory_size=0,
                environment={},
                code_sha256="",
                event_invoke_config={},
                policy_document=Policy({}),
                tags=tags,
            )
        case "logs" if f":log-group:{PREFIX}" in arn:
            return LogGroup(
                id=hint or "Logs",
                log_group_name=arn.split(":log-group:")[1],
                log_group_arn=arn,
                retention_in_days=0,
                tags=tags,
            )
        case "iam" if ":role/" in arn:
            return Role(
                id=hint or "Role",
                role_name=name_in(arn),
                role_arn=arn,
                description="",
                assume_role_policy_document=Policy({}),
                policies=Policy({}),
                tags=tags,
            )
    return None


def _identify(aws: Aws, resource: Resource) -> Leftover | None:
    try:
        live = resource.identify(aws)
    except StopError:
        raise
    except AwsError as error:
        return resource, Unreadable(error)
    if live is None:
        return None
    tags = live.state.tags_or_none() or Tags()
    if owner_of(tags, resource.tags_or_none() or Tags()) is not None:
        return None
    return replace(resource, id=tags.get(RESOURCE_TAG) or resource.id), live


def _unlisted(aws: Aws, graph: Graph) -> Iterable[Leftover]:
    """Confirmed subscribers that are not in the file, of the topics whose route says `unlisted_subscribers: remove`."""
    for topic in graph:
        if not isinstance(topic, Topic) or not topic.remove_unlisted:
            continue
        listed = {
            subscription_identity(s.protocol, s.endpoint)
            for s in graph
            if isinstance(s, Subscription) and topic.id in s.needs()
        }
        for found in subscriptions(aws, topic.topic_arn) or ():
            if found.identity not in listed and found.state == "confirmed":
                resource = Subscription(
                    id=Subscription.id_for(topic.id, found.protocol, found.endpoint),
                    topic_arn=topic.ref("Arn"),
                    protocol=found.protocol,
                    endpoint=found.endpoint,
                )
                yield resource, Live(resource, {"Arn": found.arn, "State": found.state})
