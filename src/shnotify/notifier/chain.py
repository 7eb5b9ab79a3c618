"""What the policies along a route let through: each call that the route lives on, judged by what
AWS documents. Pure.

The room asks nobody. A thing that was not read, or a key that was not looked at, is `unknown`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from shnotify.arns import Scope
from shnotify.config.models import Config, Route
from shnotify.engine.health import Link, Verdict
from shnotify.engine.resource import Live, Observed, Resource
from shnotify.frozen import frozen
from shnotify.notifier import names
from shnotify.notifier.undelivered import keeps_mail
from shnotify.resources import calls
from shnotify.resources.evaluation import Decision, combined, evaluate
from shnotify.resources.function import Function
from shnotify.resources.key import Key
from shnotify.resources.policies import BUFFER_ACTIONS, KEY_ACTIONS
from shnotify.resources.queue import Queue
from shnotify.resources.requests import segment
from shnotify.resources.role import Role
from shnotify.resources.rule import Rule
from shnotify.resources.topic import Topic

KEY_OF_OTHERS = "key "
"""How a key is called that is not of the file: `key ARN`."""
FORMATTER = "the formatter"
"""What the function's role is called in a sentence."""
_SYMMETRIC = "SYMMETRIC_DEFAULT"
_VERDICTS: dict[str, Verdict] = {"allowed": "ok", "denied": "broken", "unknown": "unknown"}


@frozen
class KeySeen:
    """A KMS key that something is encrypted with.

    name    what it is called in a message: its resource id, or `key ARN`
    policy  the key policy's document; None when it could not be read
    state   KMS's word for its state; "" when it could not be read
    manager who makes its policy: CUSTOMER, or AWS for a key such as alias/aws/sns
    spec    what it is made of; SNS and SQS take symmetric keys only (sns-server-side-encryption)
    error   why it could not be read, or None
    needs   the permissions that were missing
    """

    name: str
    arn: str
    policy: object = None
    state: str = ""
    manager: str = "CUSTOMER"
    spec: str = _SYMMETRIC
    error: str | None = None
    needs: tuple[str, ...] = ()


@frozen
class Chain:
    """Holds the things of one route as they stand in AWS.

    What is None is not there or could not be read, which others tell.

    formatted  whether a function stands between the rule and the topic
    """

    formatted: bool
    rules: tuple[Live[Rule], ...]
    topic: Live[Topic] | None
    queue: Live[Queue] | None
    function: Live[Function] | None
    role: Live[Role] | None
    keys: Mapping[str, KeySeen]
    keeps_mail: bool = False
    """Whether mail that SNS gives up is to go to the queue."""
    folds: bool = False
    """Whether a buffer queue stands between the rule and the function."""
    buffer: Live[Queue] | None = None

    @property
    def _region(self) -> str:
        """The Region of the notifier: a rule feeds nothing of another one."""
        things: list[Live[Any] | None] = [*self.rules, self.topic, self.queue]
        return next(segment(one.outputs["Arn"], 3) for one in things if one)

    def links(self) -> tuple[Link, ...]:
        """Judges every policy that the route's mail, or a failure of it, passes."""
        handing = self._buffering() if self.folds else self._invoking()
        sending = [*handing, *self._formatting()] if self.formatted else list(self._publishing())
        return (*sending, *self._keeping(), *self._keeping_mail())

    def _for_every_rule(self, decide: Callable[[str], Decision]) -> Decision:
        """Decides for each of the route's rules and returns the worst."""
        decisions = [decide(rule.outputs["Arn"]) for rule in self.rules]
        return max(decisions, key=lambda one: ("allowed", "unknown", "denied").index(one.verdict))

    # -- EventBridge publishes -----------------------------------------------------------------------------------------

    def _publishing(self) -> Iterable[Link]:
        if not (self.topic and self.rules):
            return
        topic, policy = self.topic.outputs["Arn"], self.topic.state.policy_document.document
        decision = self._for_every_rule(
            lambda rule: evaluate(policy, calls.events_publish(topic, rule))
        )
        yield _link(
            "topic-policy",
            self.topic.state.id,
            "the topic's policy",
            calls.EVENTS,
            "sns:Publish",
            decision,
        )

        def use(key: KeySeen, action: str) -> Decision:
            return evaluate(key.policy, calls.events_use_topic_key(key.arn, topic, action), "key")

        yield from self._key("topic-key", self.topic.state.kms_master_key_id, calls.EVENTS, use)

    # -- EventBridge invokes the formatter, which publishes ------------------------------------------------------------

    def _invoking(self) -> Iterable[Link]:
        if not (self.function and self.rules):
            return
        function, policy = self.function.outputs["Arn"], self.function.state.policy_document
        decision = self._for_every_rule(
            lambda rule: evaluate(policy.document, calls.events_invoke(function, rule))
        )
        what = "the function's policy"
        yield _link(
            "formatter",
            self.function.state.id,
            what,
            calls.EVENTS,
            "lambda:InvokeFunction",
            decision,
        )

    def _buffering(self) -> Iterable[Link]:
        """Judges whether EventBridge may put findings into the buffer, and Lambda take them out."""
        if not (self.buffer and self.rules):
            return
        yield from _room("formatter", self.buffer.state)
        buffer, policy = self.buffer.outputs["Arn"], self.buffer.state.policy_document.document
        sent = self._for_every_rule(lambda rule: evaluate(policy, calls.events_send(buffer, rule)))
        what, resource = "the buffer's policy", self.buffer.state.id
        yield _link("formatter", resource, what, calls.EVENTS, "sqs:SendMessage", sent)

        def put(key: KeySeen, action: str) -> Decision:
            return self._for_every_rule(
                lambda rule: evaluate(
                    key.policy, calls.events_use_queue_key(key.arn, buffer, rule, action), "key"
                )
            )

        key = self.buffer.state.kms_master_key_id
        yield from self._key("formatter", key, calls.EVENTS, put)
        if not (self.function and self.role):
            return
        for action in BUFFER_ACTIONS:
            taken = self._by_role(action, buffer, policy)
            who = "Lambda as the formatter"
            yield _link("formatter", self.role.state.id, "its policies", who, action, taken)

        def take(key: KeySeen, action: str) -> Decision:
            return self._by_role(action, key.arn, key.policy, via="sqs")

        yield from self._key("formatter", key, "Lambda as the formatter", take)

    def _formatting(self) -> Iterable[Link]:
        if not (self.function and self.role and self.topic):
            return
        trust = self.role.state.assume_role_policy_document.document
        taken = evaluate(trust, calls.lambda_take_role(self.role.outputs["Arn"]), "trust")
        yield _link(
            "formatter",
            self.role.state.id,
            "its trust policy",
            calls.LAMBDA,
            "sts:AssumeRole",
            taken,
        )
        topic = self.topic.outputs["Arn"]
        published = self._by_role("sns:Publish", topic, self.topic.state.policy_document.document)
        yield _link(
            "formatter",
            self.role.state.id,
            "its policies",
            FORMATTER,
            "sns:Publish",
            published,
        )

        def use(key: KeySeen, action: str) -> Decision:
            return self._by_role(action, key.arn, key.policy, via="sns")

        yield from self._key("topic-key", self.topic.state.kms_master_key_id, FORMATTER, use)

    def _by_role(self, action: str, resource: str, policy: object, via: str = "") -> Decision:
        """Decides whether the formatter's role may make a call."""
        assert self.role  # noqa: S101 the callers looked
        assert self.function  # noqa: S101
        request = calls.role_call(
            self.role.outputs["Arn"],
            action,
            resource,
            function=self.function.outputs["Arn"],
            in_vpc=bool(self.function.facts["Vpc"]),
            via=via,
        )
        own = [self.role.state.policies.document, *self.role.facts["others"]]
        return combined(own, self.role.facts["boundary"], policy, request, key=bool(via))

    # -- what fails is kept --------------------------------------------------------------------------------------------

    def _keeping(self) -> Iterable[Link]:
        if not (self.queue and self.rules):
            return
        yield from _room("queue", self.queue.state)
        queue, policy = self.queue.outputs["Arn"], self.queue.state.policy_document.document
        decision = self._for_every_rule(
            lambda rule: evaluate(policy, calls.events_send(queue, rule))
        )
        what = "the queue's policy"
        yield _link(
            "queue-policy", self.queue.state.id, what, calls.EVENTS, "sqs:SendMessage", decision
        )

        def use(key: KeySeen, action: str) -> Decision:
            return self._for_every_rule(
                lambda rule: evaluate(
                    key.policy, calls.events_use_queue_key(key.arn, queue, rule, action), "key"
                )
            )

        yield from self._key("queue-key", self.queue.state.kms_master_key_id, calls.EVENTS, use)

    def _keeping_mail(self) -> Iterable[Link]:
        """Judges whether SNS can put mail that it gives up into the queue."""
        if not (self.keeps_mail and self.queue and self.topic):
            return
        queue, topic = self.queue.outputs["Arn"], self.topic.outputs["Arn"]
        name, policy = "undelivered-mail", self.queue.state.policy_document.document
        sent = evaluate(policy, calls.sns_send(queue, topic))
        what = "the queue's policy"
        yield _link(name, self.queue.state.id, what, calls.SNS, "sqs:SendMessage", sent)

        def use(key: KeySeen, action: str) -> Decision:
            return evaluate(
                key.policy, calls.sns_use_queue_key(key.arn, queue, topic, action), "key"
            )

        for link in self._key(name, self.queue.state.kms_master_key_id, calls.SNS, use):
            yield _only_said(link) if link.resource not in _OUR_KEYS else link

    # -- keys ----------------------------------------------------------------------------------------------------------

    def _key(
        self, name: str, arn: str, who: str, use: Callable[[KeySeen, str], Decision]
    ) -> Iterable[Link]:
        """Judges the key that a thing is encrypted with, whoever owns the key."""
        if not arn:
            yield Link(name, "ok", evidence={"encrypted": False})
            return
        if (there := segment(arn, 3)) and there != self._region:
            why = f"it is encrypted with {arn}, a key of {there}: a key is used in its own Region only"
            yield Link(name, "broken", why, mend="shnotify apply", evidence={"key": arn})
            return
        key = self.keys.get(arn)
        of_aws = arn.startswith("alias/aws/") or (key is not None and key.manager == "AWS")
        if of_aws and who == calls.EVENTS:  # its policy cannot be edited (sqs-key-management)
            why = f"it is encrypted with a key of AWS's own ({arn}), which {who} can never use"
            yield Link(name, "broken", why, mend="shnotify apply", evidence={"key": arn})
            return
        if key is None:
            yield Link(
                name,
                "unknown",
                f"it is encrypted with {arn}, which was not looked at",
                evidence={"key": arn},
            )
            return
        if key.error:
            yield Link(
                name,
                "unknown",
                f"{key.name} could not be read: {key.error}",
                needs=key.needs,
                resource=key.name,
            )
            return
        if key.state != "Enabled":
            why = f"{key.name} cannot be used: KMS says it is {key.state}"
            yield Link(name, "broken", why, evidence={"state": key.state}, resource=key.name)
            return
        if key.spec != _SYMMETRIC:
            why = f"{key.name} is of the kind {key.spec}, and only a symmetric key encrypts here"
            yield Link(name, "broken", why, evidence={"spec": key.spec}, resource=key.name)
            return
        for action in KEY_ACTIONS:
            decision = use(key, action)
            link = _link(name, key.name, "its key policy", who, action, decision)
            if link.verdict != "ok":
                yield link
                return
        yield Link(name, "ok", evidence={"key": arn}, resource=key.name)


_LEAST_BYTES = 2048
"""No event of Security Hub is smaller: envelope, and the fields that every finding has."""
_EVENT_BYTES = 262144
"""The largest event (eb-quota: PutEvents entry size)."""
_DAY = 86400


def _room(name: str, queue: Queue) -> Iterable[Link]:
    """Judges whether a queue has room for findings, and keeps them until somebody looks.

    A queue that is too small is a documented cause of InvocationsFailedToBeSentToDlq (eb-rule-dlq).
    """
    size, seconds = queue.maximum_message_size, queue.message_retention_period
    evidence = {"MaximumMessageSize": size, "MessageRetentionPeriod": seconds}
    if size < _LEAST_BYTES:
        why = f"{queue.id} takes messages of at most {size} bytes: no finding fits"
        yield Link(name, "broken", why, "shnotify apply", evidence, resource=queue.id)
    elif size < _EVENT_BYTES:
        why = f"{queue.id} takes messages of at most {size} bytes: a larger finding is lost"
        yield Link(name, "warning", why, evidence=evidence, resource=queue.id)
    if seconds < _DAY:
        why = (
            f"{queue.id} keeps a message for {seconds} seconds: what nobody sees to by then is lost"
        )
        yield Link(name, "warning", why, evidence=evidence, resource=queue.id)


_OUR_KEYS = frozenset({names.TOPIC_KEY, names.DLQ_KEY})


def _only_said(link: Link) -> Link:
    """Softens what is wrong with a key that is not ours: mail passes, and nobody here can mend it."""
    return replace(link, verdict="warning", mend=None) if link.verdict == "broken" else link


def _link(name: str, resource: str, policy: str, who: str, action: str, decision: Decision) -> Link:
    """Puts a decision into words."""
    verdict = _VERDICTS[decision.verdict]
    evidence = {"action": action, "principal": who, "statement": decision.statement}
    if verdict == "ok":
        return Link(name, "ok", evidence=evidence, resource=resource)
    how = "does not let" if verdict == "broken" else "may or may not let"
    why = f"{resource}: {policy} {how} {who} call {action}: {decision.reason}"
    mend = "shnotify apply" if verdict == "broken" else None
    if decision.explicit:  # what others deny, nothing that is added allows
        mend = f"take {decision.statement} out of {policy} or except {who} from it"
    return Link(name, verdict, why, mend=mend, evidence=evidence, resource=resource)


def chain_of(
    config: Config, route: Route, seen: Mapping[str, Observed], existing: Mapping[str, KeySeen]
) -> Chain:
    """Gathers the route's things as they were seen.

    existing  ARN -> key, of the keys that are used but not ours
    """

    def live(resource_id: str, kind: type[Resource]) -> Any:
        found = seen.get(resource_id)
        return found if isinstance(found, Live) and isinstance(found.state, kind) else None

    ours = {}
    for key_id in (names.TOPIC_KEY, names.DLQ_KEY):
        key = live(key_id, Key)
        if key and "Arn" in key.outputs:  # one that is still to be made has none
            arn = key.outputs["Arn"]
            ours[arn] = KeySeen(key_id, arn, key.state.key_policy.document, key.outputs["KeyState"])
    formatted = route.message.format == "lambda"
    topic = live(names.topic_id(route), Topic)
    return Chain(
        formatted=formatted,
        rules=tuple(
            rule for one in names.rule_ids(route, seen) if (rule := live(one, Rule)) is not None
        ),
        topic=topic,
        queue=live(names.DLQ, Queue) if config.dead_letter_queue else None,
        function=live(names.formatter_id(route), Function) if formatted else None,
        role=live(names.formatter_role_id(route), Role) if formatted else None,
        keys={**existing, **ours},
        folds=bool(formatted and route.message.fold),
        buffer=live(names.buffer_id(route), Queue) if formatted else None,
        keeps_mail=bool(topic) and keeps_mail(config, Scope.of(topic.outputs["Arn"])),
    )
