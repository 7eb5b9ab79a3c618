"""The truth table: every link of the chain, broken in every way that is known."""

from __future__ import annotations

from tests.support.breakages import (
    BOTH,
    DENIED,
    EVENTS,
    FOREIGN_TOPIC,
    ORG,
    OTHER,
    OUTSIDE,
    QUEUE_ARN,
    RULE_ARN,
    Breakage,
    aggregator,
    alarms,
    allow,
    answer,
    counted,
    deny,
    findings,
    key_policy,
    key_state,
    other_rule,
    pattern,
    policy,
    put,
    queue,
    refuse,
    subscription,
    target,
    topic,
)
from tests.support.faults import REGION
from tests.support.lifecycle import ACCOUNT

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:security-alerts-urgent"
SUMMARY = ("summary",)
LAMBDA = ("lambda",)
MISSING = refuse("ResourceNotFoundException")
GONE = {
    "sns:GetTopicAttributes": refuse("NotFound", 404),
    "sns:ListSubscriptionsByTopic": refuse("NotFound", 404),
}
PENDING = {"SubscriptionArn": "PendingConfirmation", "Protocol": "email", "Endpoint": "secops@example.com"}
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:security-alerts-urgent-formatter"
ROLE_TRUST = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}

_HUB = [
    Breakage("credentials", "expired", {"sts:GetCallerIdentity": refuse("ExpiredToken", 403)}, masks=True),
    Breakage(
        "hub",
        "Security Hub is off",
        {"securityhub:DescribeHub": refuse("InvalidAccessException", 401)},
    ),
    Breakage("hub", "not allowed to look", {"securityhub:DescribeHub": DENIED}, "unknown"),
    Breakage("home-region", "another Region is the home", aggregator("us-east-1"), "warning", cites="24"),
    Breakage(
        "home-region",
        "a member of an administrator",
        {"securityhub:GetAdministratorAccount": answer({"Administrator": {"AccountId": OTHER}})},
        "warning",
        cites="24",
    ),
    Breakage("home-region", "not allowed to look", {"securityhub:GetAdministratorAccount": DENIED}, "unknown"),
    Breakage(
        "aggregation",
        "there is none",
        {"securityhub:ListFindingAggregators": answer({"FindingAggregators": []})},
        "warning",
    ),
    Breakage("aggregation", "no Region is linked", aggregator(mode="NO_REGIONS"), "warning"),
    Breakage(
        "aggregation",
        "not allowed to look",
        {"securityhub:GetFindingAggregator": DENIED},
        "unknown",
        also=frozenset({"home-region"}),
    ),
    Breakage("duplicates", "another rule", other_rule(findings(), FOREIGN_TOPIC), "warning", cites="25"),
    Breakage(
        "duplicates",
        "a rule on all of Security Hub",
        other_rule({"source": ["aws.securityhub"]}, FUNCTION + "2"),
        "warning",
        cites="25",
    ),
    Breakage(
        "duplicates",
        "a managed rule that mails",
        other_rule(findings(), FOREIGN_TOPIC, ManagedBy="events.amazonaws.com"),
        "warning",
    ),
    Breakage(
        "duplicates",
        "one finding for each standard",
        {"securityhub:DescribeHub": answer({"ControlFindingGenerator": "STANDARD_CONTROL"})},
        "warning",
        cites="10",
    ),
    Breakage("duplicates", "not allowed to look", {"events:ListRules": DENIED}, "unknown"),
]

_RULE = [
    Breakage(
        "rule",
        "missing",
        {"events:DescribeRule": MISSING, "events:ListTargetsByRule": MISSING},
        masks=True,
    ),
    Breakage("rule", "disabled", {"events:DescribeRule": put(State="DISABLED")}),
    Breakage("rule", "not allowed to look", {"events:DescribeRule": DENIED}, "unknown", also=frozenset({"target"})),
    Breakage("pattern", "another service", pattern({"source": ["aws.s3"]})),
    Breakage("pattern", "the source misspelt", pattern({**findings(), "source": ["aws.security-hub"]})),
    Breakage(
        "pattern",
        "the detail-type cut",
        pattern({**findings(), "detail-type": ["Security Hub Findings"]}),
        cites="case 21",
    ),
    Breakage("pattern", "a label in small letters", pattern(findings(Severity={"Label": ["High"]})), cites="case 25"),
    Breakage(
        "pattern",
        "the new Security Hub's values in capitals",
        pattern(
            {
                "source": ["aws.securityhub"],
                "detail-type": ["Findings Imported V2"],
                "detail": {"findings": {"severity": ["HIGH"], "status": ["NEW"]}},
            }
        ),
        cites="case 23",
    ),
    Breakage("pattern", "only CRITICAL", pattern(findings(Severity={"Label": ["CRITICAL"]})), rule=""),
    Breakage("pattern", "one account", pattern(findings(AwsAccountId=[OTHER])), rule=""),
    Breakage("pattern", "wider than the file", pattern(findings(RecordState=None)), "warning", ""),
    Breakage("target", "none", {"events:ListTargetsByRule": answer({"Targets": []})}),
    Breakage("target", "another topic", target(Arn=FOREIGN_TOPIC), rule="", modes=SUMMARY),
    Breakage(
        "target",
        "a topic that is gone",
        GONE,
        "",
        rule="broken",
        modes=SUMMARY,
    ),
    Breakage(
        "target",
        "a log group",
        target(Arn=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:x"),
        "",
        rule="unknown",
        modes=SUMMARY,
    ),
    Breakage(
        "target",
        "through a role",
        target(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/x"),
        "unknown",
        cites="17",
    ),
]

_TEXT = [
    Breakage(
        "transformer",
        "no JSON",
        target(
            InputTransformer={
                "InputPathsMap": {"s": "$.detail.findings[0].Severity.Label"},
                "InputTemplate": "Severity <s>",
            }
        ),
    ),
    Breakage(
        "transformer",
        "a variable without a path",
        target(InputTransformer={"InputPathsMap": {}, "InputTemplate": '"<title>"'}),
    ),
    Breakage(
        "transformer",
        "a title in quotes",
        target(
            InputTransformer={
                "InputPathsMap": {"t": "$.detail.findings[0].Title"},
                "InputTemplate": '"Finding: <t>"',
            }
        ),
        "warning",
        cites="3",
    ),
    Breakage("transformer", "a fixed text", target(Input='"hello"', InputTransformer=None), "warning", modes=SUMMARY),
]

_FORMATTER = [
    Breakage(
        "formatter",
        "failed",
        {"lambda:GetFunction": put("Configuration", State="Failed", StateReason="x")},
        modes=LAMBDA,
    ),
    Breakage(
        "formatter",
        "throttled to nothing",
        {"lambda:GetFunction": put(Concurrency={"ReservedConcurrentExecutions": 0})},
        modes=LAMBDA,
    ),
    Breakage("formatter", "nobody may invoke it", {"lambda:GetPolicy": answer({"Policy": policy()})}, modes=LAMBDA),
    Breakage(
        "formatter",
        "another rule may invoke it",
        {
            "lambda:GetPolicy": answer(
                {
                    "Policy": policy(
                        allow(
                            "lambda:InvokeFunction",
                            FUNCTION,
                            Condition={"ArnLike": {"aws:SourceArn": RULE_ARN + "-old"}},
                        )
                    )
                }
            )
        },
        modes=LAMBDA,
    ),
    Breakage(
        "formatter",
        "a source account in its policy",
        {
            "lambda:GetPolicy": answer(
                {
                    "Policy": policy(
                        allow(
                            "lambda:InvokeFunction",
                            FUNCTION,
                            Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}},
                        )
                    )
                }
            )
        },
        modes=LAMBDA,
    ),
    Breakage("formatter", "its role is gone", {"iam:GetRole": refuse("NoSuchEntity", 404)}, modes=LAMBDA),
    Breakage(
        "formatter",
        "Lambda may not take its role",
        {"iam:GetRole": put("Role", AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [ROLE_TRUST]})},
        modes=LAMBDA,
    ),
    Breakage(
        "formatter",
        "in a VPC",
        {"lambda:GetFunction": put("Configuration", VpcConfig={"VpcId": "vpc-1"})},
        "unknown",
        modes=LAMBDA,
    ),
    Breakage(
        "formatter",
        "other code",
        {"lambda:GetFunction": put("Configuration", CodeSha256="x")},
        "unknown",
        "",
        modes=LAMBDA,
    ),
]

_TOPIC = [
    Breakage("topic-policy", "empty", topic(Policy=policy()), modes=SUMMARY, cites="16"),
    Breakage(
        "topic-policy",
        "only the default statement",
        topic(
            Policy=policy(
                allow(
                    "SNS:Publish",
                    TOPIC,
                    Principal={"AWS": "*"},
                    Condition={"StringEquals": {"AWS:SourceOwner": ACCOUNT}},
                )
            )
        ),
        modes=SUMMARY,
        cites="16",
    ),
    Breakage(
        "topic-policy",
        "another account's rules",
        topic(Policy=policy(allow("sns:Publish", TOPIC, Condition={"StringEquals": {"aws:SourceAccount": OTHER}}))),
        modes=SUMMARY,
    ),
    Breakage(
        "topic-policy",
        "another topic",
        topic(Policy=policy(allow("sns:Publish", FOREIGN_TOPIC))),
        modes=SUMMARY,
    ),
    Breakage(
        "topic-policy",
        "another action",
        topic(Policy=policy(allow("sns:Subscribe", TOPIC))),
        modes=SUMMARY,
    ),
    Breakage(
        "topic-policy",
        "denied outside the organisation",
        topic(Policy=policy(allow("sns:Publish", TOPIC), deny("sns:Publish", TOPIC, Condition=OUTSIDE))),
        modes=SUMMARY,
        cites="case 27",
    ),
    Breakage(
        "topic-policy",
        "a condition that the guides disagree about",
        topic(Policy=policy(allow("sns:Publish", TOPIC, Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}))),
        "unknown",
        modes=SUMMARY,
    ),
    Breakage(
        "topic-policy",
        "not allowed to look",
        {"sns:GetTopicAttributes": refuse("AuthorizationError", 403)},
        "unknown",
        also=frozenset({"topic-key"}),
        modes=SUMMARY,
        masks=True,
    ),
    Breakage("topic-policy", "the topic is gone", GONE, rule="", modes=SUMMARY, masks=True),
]

_KEY_FAULTS = {
    "only the root": ([], "broken", "13"),
    "no Decrypt": ([allow("kms:GenerateDataKey*")], "broken", ""),
    "no GenerateDataKey": ([allow("kms:Decrypt")], "broken", ""),
    "another service": ([allow(BOTH, Principal={"Service": "cloudwatch.amazonaws.com"})], "broken", ""),
    "limited to the organisation": ([allow(BOTH, Condition={"StringEquals": ORG})], "broken", "case 26"),
    "denied outside the organisation": (
        [allow(BOTH), deny("kms:*", Condition=OUTSIDE)],
        "broken",
        "case 26",
    ),
    "denied": ([allow(BOTH), deny("kms:Decrypt", Principal=EVENTS)], "broken", ""),
    "limited to a VPC": (
        [allow(BOTH, Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}})],
        "broken",
        "",
    ),
}
_SOURCES = {
    f"limited by {name}": ([allow(BOTH, Condition={"StringEquals": {name: value}})], "broken", "14")
    for name, value in {
        "aws:SourceAccount": ACCOUNT,
        "aws:SourceArn": RULE_ARN,
        "aws:SourceOrgID": "o-abc",
    }.items()
}

_KEYS = [
    *(
        Breakage("topic-key", what, key_policy("topic", *statements), verdict, modes=SUMMARY, cites=cites)
        for what, (statements, verdict, cites) in {**_KEY_FAULTS, **_SOURCES}.items()
    ),
    *(
        Breakage("queue-key", what, key_policy("dlq", *statements), verdict, cites="15" if cites == "13" else "")
        for what, (statements, verdict, cites) in _KEY_FAULTS.items()
    ),
    Breakage("topic-key", "disabled", key_state("topic", "Disabled")),
    Breakage("topic-key", "on its way out", key_state("topic", "PendingDeletion")),
    Breakage("topic-key", "denied to all", key_policy("topic", deny("kms:*"))),
    Breakage("queue-key", "disabled", key_state("dlq", "Disabled")),
    Breakage("queue-key", "on its way out", key_state("dlq", "PendingDeletion")),
]

_OF_AWS = [
    Breakage("topic-key", "AWS's own key", topic(KmsMasterKeyId="alias/aws/sns"), modes=SUMMARY, cites="13"),
    Breakage("queue-key", "AWS's own key", queue(KmsMasterKeyId="alias/aws/sqs"), cites="13"),
]

_QUEUE = [
    Breakage(
        "queue",
        "gone",
        {"sqs:GetQueueAttributes": refuse("AWS.SimpleQueueService.NonExistentQueue")},
        masks=True,
    ),
    Breakage("queue", "the target names none", target(DeadLetterConfig=None), rule="warning"),
    Breakage(
        "queue",
        "a queue of another Region",
        target(DeadLetterConfig={"Arn": QUEUE_ARN.replace(REGION, "us-east-1")}),
        modes=SUMMARY,
        rule="",
    ),
    Breakage("queue", "a FIFO queue", target(DeadLetterConfig={"Arn": QUEUE_ARN + ".fifo"}), rule=""),
    Breakage(
        "queue",
        "the function keeps nothing",
        {"lambda:GetFunctionEventInvokeConfig": answer({"MaximumRetryAttempts": 2})},
        rule="",
        modes=LAMBDA,
    ),
    Breakage("queue-policy", "empty", queue(Policy=policy()), cites="15"),
    Breakage(
        "queue-policy",
        "for another rule",
        queue(
            Policy=policy(
                allow("sqs:SendMessage", QUEUE_ARN, Condition={"ArnEquals": {"aws:SourceArn": RULE_ARN + "2"}})
            )
        ),
    ),
    Breakage(
        "queue-policy",
        "another service",
        queue(Policy=policy(allow("sqs:SendMessage", QUEUE_ARN, Principal={"Service": "sns.amazonaws.com"}))),
    ),
    Breakage(
        "queue-policy",
        "denied outside the organisation",
        queue(Policy=policy(allow("sqs:SendMessage", QUEUE_ARN), deny("sqs:*", QUEUE_ARN, Condition=OUTSIDE))),
    ),
    Breakage("queue-depth", "messages wait", queue(ApproximateNumberOfMessages="3")),
    Breakage("queue-depth", "messages are read", queue(ApproximateNumberOfMessagesNotVisible="1")),
]

_PEOPLE = [
    Breakage(
        "subscribers",
        "nobody has confirmed",
        {"sns:ListSubscriptionsByTopic": answer({"Subscriptions": [PENDING]})},
        cites="18",
    ),
    Breakage(
        "subscribers",
        "nobody is there",
        {"sns:ListSubscriptionsByTopic": answer({"Subscriptions": []})},
        cites="20",
    ),
    Breakage(
        "subscribers",
        "all have ended it",
        {"sns:ListSubscriptionsByTopic": answer({"Subscriptions": [{**PENDING, "SubscriptionArn": "Deleted"}]})},
        cites="20",
    ),
    Breakage("filter-policy", "on attributes", subscription(FilterPolicy='{"team": ["red"]}'), cites="case 28"),
    Breakage(
        "filter-policy",
        "on a body that is no JSON",
        subscription(FilterPolicy='{"source": ["x"]}', FilterPolicyScope="MessageBody"),
        cites="23",
    ),
    Breakage(
        "unsubscribe",
        "one click ends it for all",
        subscription(ConfirmationWasAuthenticated="false"),
        "warning",
        cites="20",
    ),
    Breakage("undelivered-mail", "no queue", subscription(RedrivePolicy=None), "warning"),
]

_COUNTS = [
    Breakage("invocations", "failed", counted(FailedInvocations=[(5, 2)])),
    Breakage("invocations", "to the queue", counted(InvocationsSentToDlq=[(5, 2)])),
    Breakage("invocations", "lost", counted(InvocationsFailedToBeSentToDlq=[(5, 1)]), cites="15"),
    Breakage("invocations", "failed once, then well", counted(FailedInvocations=[(600, 1)]), "warning"),
    Breakage("invocations", "throttled", counted(ThrottledRules=[(5, 1)]), "warning"),
    Breakage("invocations", "no data", counted(Invocations=[], TriggeredRules=[]), "unknown"),
    Breakage("invocations", "matched, not invoked", counted(Invocations=[]), "unknown"),
    Breakage("invocations", "the function fails", counted(Lambda_Errors=[(5, 1)]), modes=LAMBDA),
    Breakage(
        "invocations",
        "the function is throttled",
        counted(Lambda_Throttles=[(5, 1)]),
        "warning",
        modes=LAMBDA,
    ),
    Breakage("mail-failures", "not delivered", counted(NumberOfNotificationsFailed=[(5, 2)])),
    Breakage("mail-failures", "none, then one", counted(NumberOfNotificationsFailed=[(600, 2)]), "warning"),
    Breakage("mail-failures", "no data", counted(NumberOfNotificationsDelivered=[]), "unknown"),
    Breakage(
        "mail-failures",
        "not allowed to look",
        {"cloudwatch:GetMetricData": DENIED},
        "unknown",
        also=frozenset({"invocations"}),
    ),
    Breakage("watchdog", "no alarm", alarms(), "warning"),
    Breakage("watchdog", "an alarm without action", alarms({"AlarmName": "a"}), "warning"),
    Breakage("watchdog", "through its own topic", alarms({"AlarmName": "a", "AlarmActions": [TOPIC]}), "warning"),
    Breakage("watchdog", "not allowed to look", {"cloudwatch:DescribeAlarmsForMetric": DENIED}, "unknown"),
]

BROKEN: tuple[Breakage, ...] = (
    *_HUB,
    *_RULE,
    *_TEXT,
    *_FORMATTER,
    *_TOPIC,
    *_KEYS,
    *_OF_AWS,
    *_QUEUE,
    *_PEOPLE,
    *_COUNTS,
)
"""Every link is in here at least once; a test holds that."""
