"""The truth table: every link of the chain, broken in every way that is known."""

from __future__ import annotations

from tests.support.breakages import (
    DENIED,
    Breakage,
    alarms,
    answer,
    counted,
    subscription,
)
from tests.support.broken_names import LAMBDA, MACHINE, PENDING, REDRIVE, TOPIC
from tests.support.broken_policies import IN_FORMATTER, IN_KEYS, IN_QUEUE, IN_TOPIC, OF_AWS
from tests.support.broken_rules import IN_HUB, IN_RULE, IN_TEXT

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
    Breakage(
        "subscribers",
        "a machine only",
        {
            "sns:ListSubscriptionsByTopic": answer({"Subscriptions": [PENDING, MACHINE]}),
            "sns:GetSubscriptionAttributes": answer({"Attributes": {"RedrivePolicy": REDRIVE}}),
        },
        "unknown",
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
    *IN_HUB,
    *IN_RULE,
    *IN_TEXT,
    *IN_FORMATTER,
    *IN_TOPIC,
    *IN_KEYS,
    *OF_AWS,
    *IN_QUEUE,
    *_PEOPLE,
    *_COUNTS,
)
"""Every link is in here at least once; a test holds that."""
