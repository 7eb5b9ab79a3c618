"""Names and answers that several broken stacks share."""

from __future__ import annotations

from tests.support.breakages import refuse
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
