"""The table that the contract suite runs over: one row for each kind of AWS resource.

A new kind adds one row here. A row says what is wanted, what else could be wanted of the same thing, and what somebody
may have done by hand, so that between them every operation that the kind declares is called.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from typing import Any

from shnotify.arns import Scope
from shnotify.config.load import completed
from shnotify.config.yamlfile import parse
from shnotify.engine.permissions import Verb
from shnotify.engine.resource import Resource
from shnotify.engine.values import Pattern, Policy, Tags
from shnotify.frozen import frozen
from shnotify.mail import archive as bundle
from shnotify.notifier.desired import build
from shnotify.resources.role import POLICY_NAME
from shnotify.sandbox.subscriptions import confirm_subscription
from tests.support import faults
from tests.support.faults import REGION

Hand = Callable[[Any, Any], None]
"""What somebody does by hand: gets the clients by service name, and the resource."""

FILE = f"""\
name: mine
region: {REGION}
routes:
  - name: urgent
    message: {{format: lambda, fold: {{}}}}
    subscribers: [secops@example.com]
watchdog: {{subscribers: [oncall@example.com]}}
"""
GRAPH = build(completed(parse(FILE)), Scope("aws", REGION, "123456789012"))


@frozen
class Case:
    """One kind.

    id        the resource of the graph that stands for its kind
    variants  other states that may be wanted of the same thing
    hands     edits by hand that an update must mend
    retried   a fault at a call of `create` that makes it go another way: operation -> what happens
    before    what somebody does by hand before the thing is removed
    rare      operations that the suite does not reach; a test of the kind's own names each
    """

    id: str
    variants: tuple[Callable[[Any], Any], ...]
    hands: tuple[Hand, ...] = ()
    retried: Mapping[str, Any] = field(default_factory=dict)
    before: Hand | None = None
    rare: frozenset[tuple[Verb, str]] = frozenset()

    @property
    def wanted(self) -> Resource:
        return GRAPH[self.id]

    @property
    def needed(self) -> list[Resource]:
        """What must be there before it, in order."""
        ids: set[str] = {self.id}
        for resource in reversed(GRAPH.resources):
            if resource.id in ids:
                ids |= resource.needs()
        return [resource for resource in GRAPH if resource.id in ids - {self.id}]


def _more_tags(want: Any) -> Any:
    return replace(want, tags=Tags.of({**want.tags.to_dict(), "Team": "red"}))


def _other(**fields: Any) -> Callable[[Any], Any]:
    return lambda want: replace(want, **fields)


def _schedule_deletion(clients: Any, key: Any) -> None:
    clients("kms").schedule_key_deletion(KeyId=_key_id(clients, key), PendingWindowInDays=7)


def _break_key_policy(clients: Any, key: Any) -> None:
    kms, key_id = clients("kms"), _key_id(clients, key)
    policy = json.loads(kms.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"])
    kms.put_key_policy(
        KeyId=key_id, PolicyName="default", Policy=json.dumps({**policy, "Statement": policy["Statement"][:1]})
    )


def _move_alias(clients: Any, key: Any) -> None:
    kms, key_id = clients("kms"), _key_id(clients, key)
    kms.create_alias(AliasName="alias/other", TargetKeyId=key_id)
    kms.delete_alias(AliasName=key.alias_name)


def _key_id(clients: Any, key: Any) -> str:
    found: str = clients("kms").describe_key(KeyId=key.alias_name)["KeyMetadata"]["KeyId"]
    return found


def _subscription_arn(clients: Any, subscription: Any) -> str:
    """Of the subscription, which somebody confirms: of a pending one nothing can be read."""
    found = clients("sns").list_subscriptions_by_topic(TopicArn=subscription.topic_arn)["Subscriptions"]
    if found[0]["SubscriptionArn"] == "PendingConfirmation":
        return confirm_subscription(subscription.endpoint)[0]
    arn: str = found[0]["SubscriptionArn"]
    return arn


def _no_redrive_policy(clients: Any, subscription: Any) -> None:
    arn = _subscription_arn(clients, subscription)
    clients("sns").set_subscription_attributes(SubscriptionArn=arn, AttributeName="RedrivePolicy")


def _redrive_policy_of_a_former_queue(clients: Any, subscription: Any) -> None:
    """A queue that the file named once."""
    clients("sqs").create_queue(QueueName="former", tags={"shnotify:name": "mine"})
    former = subscription.redrive_policy["deadLetterTargetArn"].rpartition(":")[0] + ":former"
    clients("sns").set_subscription_attributes(
        SubscriptionArn=_subscription_arn(clients, subscription),
        AttributeName="RedrivePolicy",
        AttributeValue=json.dumps({"deadLetterTargetArn": former}),
    )


def _no_permission(clients: Any, function: Any) -> None:
    name = function.function_name
    clients("lambda").remove_permission(FunctionName=name, StatementId="AllowEventBridge")
    clients("lambda").add_permission(
        FunctionName=name,
        StatementId="AllowEventBridge",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn="arn:aws:events:eu-west-1:123456789012:rule/other",
    )


def _disabled(clients: Any, mapping: Any) -> None:
    client = clients("lambda")
    (found,) = client.list_event_source_mappings(EventSourceArn=mapping.event_source_arn)["EventSourceMappings"]
    client.update_event_source_mapping(UUID=found["UUID"], Enabled=False)


def _whole_batches(clients: Any, mapping: Any) -> None:
    """Without partial failures a poisonous finding would stop its batch."""
    client = clients("lambda")
    (found,) = client.list_event_source_mappings(EventSourceArn=mapping.event_source_arn)["EventSourceMappings"]
    client.update_event_source_mapping(UUID=found["UUID"], FunctionResponseTypes=[])


def _attach_a_policy(clients: Any, role: Any) -> None:
    """An attached policy, and an inline one that is not ours."""
    iam = clients("iam")
    theirs = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    iam.put_role_policy(RoleName=role.role_name, PolicyName="inline", PolicyDocument=json.dumps(theirs))
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
    arn = iam.create_policy(PolicyName="theirs", PolicyDocument=json.dumps(policy))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=role.role_name, PolicyArn=arn)
    assert POLICY_NAME in iam.list_role_policies(RoleName=role.role_name)["PolicyNames"]


def _actions_off(clients: Any, alarm: Any) -> None:
    clients("cloudwatch").disable_alarm_actions(AlarmNames=[alarm.alarm_name])


def _other_form(clients: Any, alarm: Any) -> None:
    """Goes off seldom, and tells somebody besides."""
    theirs = alarm.alarm_actions[0].rpartition(":")[0] + ":theirs"
    clients("cloudwatch").put_metric_alarm(
        AlarmName=alarm.alarm_name,
        MetricName="Invocations",
        Namespace=alarm.namespace,
        Statistic="Average",
        Unit="Bytes",
        Period=60,
        EvaluationPeriods=5,
        DatapointsToAlarm=2,
        Threshold=100,
        ComparisonOperator="LessThanThreshold",
        AlarmActions=[theirs],
    )


def _ends_soon(clients: Any, schedule: Any) -> None:
    """Beats some time within an hour, and no more after a date."""
    found = clients("scheduler").get_schedule(Name=schedule.name, GroupName=schedule.name)
    kept = {name: found[name] for name in ("Description", "ScheduleExpression", "State", "Target")}
    clients("scheduler").update_schedule(
        Name=schedule.name,
        GroupName=schedule.name,
        FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 60},
        EndDate="2099-01-01T00:00:00Z",
        **kept,
    )


def _no_schedule(clients: Any, schedule: Any) -> None:
    clients("scheduler").delete_schedule(Name=schedule.name, GroupName=schedule.name)


_PUBLISH = {"Sid": "Publish", "Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}
_POLICY = Policy({"Version": "2012-10-17", "Statement": [_PUBLISH]}, frozenset({"Publish"}))
_ONCE = {"MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 60}


def _tried_once(rule: Any) -> Any:
    return replace(rule, targets={**rule.targets, "RetryPolicy": _ONCE})


def _failing_once(function: Any) -> Any:
    return replace(function, event_invoke_config={**function.event_invoke_config, "MaximumRetryAttempts": 1})


def _other_code(function: Any) -> Any:
    archive = bundle.archive("other settings")
    return replace(function, zip_file=archive, code_sha256=bundle.code_sha256(archive))


def _other_trust(role: Any) -> Any:
    document = role.assume_role_policy_document.document
    statements = [{**statement, "Action": ["sts:AssumeRole"], "Effect": "Deny"} for statement in document["Statement"]]
    return replace(
        role, assume_role_policy_document=Policy({**document, "Statement": statements}, frozenset({"Lambda"}))
    )


CASES: tuple[Case, ...] = (
    Case(
        id="TopicKey",
        variants=(_more_tags, _other(description="other"), _other(enable_key_rotation=False)),
        hands=(_schedule_deletion, _break_key_policy, _move_alias),
        retried={"kms:CreateKey": faults.lose_reply},
        rare=frozenset({("create", "kms:ScheduleKeyDeletion"), ("delete", "sqs:ReceiveMessage")}),
    ),
    Case(
        id="Dlq",
        variants=(_more_tags, _other(visibility_timeout=31, delay_seconds=1)),
        rare=frozenset({("read", "kms:DescribeKey")}),
    ),
    Case(
        id="UrgentTopic",
        variants=(_more_tags, _other(display_name="Alerts")),
        rare=frozenset({("read", "kms:DescribeKey")}),
    ),
    Case(
        id=next(resource.id for resource in GRAPH if resource.CFN == "AWS::SNS::Subscription"),
        variants=(),
        hands=(_no_redrive_policy, _redrive_policy_of_a_former_queue),
        rare=frozenset({("update", "sns:TagResource")}),
    ),
    Case(
        id="UrgentRule",
        variants=(
            _more_tags,
            _other(description="other", state="DISABLED"),
            _other(event_pattern=Pattern({"source": ["aws.securityhub"]})),
            _tried_once,
        ),
    ),
    Case(
        id="UrgentFormatter",
        variants=(
            _more_tags,
            _other(timeout=61),
            _failing_once,
            _other_code,
        ),
        hands=(_no_permission,),
    ),
    Case(
        id="UrgentMapping",
        variants=(
            _more_tags,
            _other(batch_size=100, maximum_batching_window_in_seconds=30),
            _other(scaling_config={"MaximumConcurrency": 3}),
        ),
        hands=(_disabled, _whole_batches),
        rare=frozenset({("read", "lambda:GetEventSourceMapping")}),
    ),
    Case(
        id="UrgentFormatterRole",
        variants=(_more_tags, _other(description="other"), _other(policies=_POLICY), _other_trust),
        before=_attach_a_policy,
    ),
    Case(
        id="UrgentRuleFailedInvocations",
        variants=(_more_tags, _other(threshold=2.0), _other(treat_missing_data="ignore")),
        hands=(_actions_off, _other_form),
    ),
    Case(
        id="WatchdogHeartbeat",
        variants=(_more_tags, _other(schedule_expression="cron(0 9 * * ? *)"), _other(state="DISABLED")),
        hands=(_no_schedule, _ends_soon),
    ),
    Case(id="UrgentFormatterLogs", variants=(_more_tags, _other(retention_in_days=60))),
)
