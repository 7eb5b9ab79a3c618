"""Names and answers that several broken stacks share."""

from __future__ import annotations

import json

from tests.support.breakages import QUEUE_ARN, refuse
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
MACHINE = {
    "SubscriptionArn": f"{TOPIC}:11111111-2222-3333-4444-555555555555",
    "Protocol": "sqs",
    "Endpoint": f"arn:aws:sqs:{REGION}:{ACCOUNT}:somewhere",
}
REDRIVE = json.dumps({"deadLetterTargetArn": QUEUE_ARN})
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:security-alerts-urgent-formatter"
ROLE_TRUST = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
