"""Where the mail goes that SNS gives up: a subscription's RedrivePolicy, and what happens where AWS takes none."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from moto import mock_aws

from shnotify.aws.failures import AwsError
from shnotify.resources.subscription import Subscription
from shnotify.sandbox.strict import strict
from shnotify.sandbox.subscriptions import confirm_subscription
from shnotify.tags import REFUSED_TAG
from tests.support import faults
from tests.support.faults import REGION, Fault, Faults, gateway

ACCOUNT = "123456789012"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:t"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"
THEIRS = f"arn:aws:sqs:{REGION}:{ACCOUNT}:theirs"
WANT = Subscription(
    id="S",
    notifier="mine",
    topic_arn=TOPIC,
    protocol="email",
    endpoint="a@example.com",
    redrive_policy={"deadLetterTargetArn": QUEUE},
)
NO_SUCH_ATTRIBUTE = faults.refuse(
    "InvalidParameter", 400, "Invalid parameter: Attributes Reason: RedrivePolicy is not supported for email"
)


class Here:
    """An account with a topic and a queue."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.sns = self.faults.client("sns")

    def aws(self) -> Any:
        return gateway(self.faults)(allowed=None, region=REGION)

    def policy(self, arn: str) -> Any:
        return json.loads(
            self.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"].get("RedrivePolicy") or "{}"
        )

    def confirm(self) -> str:
        """Confirms the subscription, and returns its ARN."""
        confirm_subscription(WANT.endpoint)
        [entry] = self.sns.list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"]
        return str(entry["SubscriptionArn"])

    def set(self, arn: str, queue: str) -> None:
        text = json.dumps({"deadLetterTargetArn": queue})
        self.sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="RedrivePolicy", AttributeValue=text)

    def tags(self) -> list[str]:
        return [tag["Key"] for tag in self.sns.list_tags_for_resource(ResourceArn=TOPIC)["Tags"]]

    def drift(self, want: Subscription = WANT) -> list[str]:
        live = want.read(self.aws())
        assert live is not None
        return [change.path for change in want.diff(live.state)]


@pytest.fixture
def here() -> Iterator[Here]:
    found = Here()
    with mock_aws(), strict(clock=found.faults.time.now):
        found.sns.create_topic(Name="t")
        found.faults.client("sqs").create_queue(QueueName="q", tags={"shnotify:name": "mine"})
        yield found


def refusing(here: Here, fault: Fault) -> None:
    """AWS refuses Subscribe with a RedrivePolicy, and SetSubscriptionAttributes."""

    def rule(n: int, operation: str) -> Fault | None:
        _, params = here.faults.calls[n - 1]
        with_policy = operation == "sns:Subscribe" and "Attributes" in params
        return fault if with_policy or operation == "sns:SetSubscriptionAttributes" else None

    here.faults.rule = rule


def test_it_is_part_of_the_subscribe_call(here: Here) -> None:
    WANT.create(here.aws())
    arn = here.confirm()
    assert here.policy(arn) == {"deadLetterTargetArn": QUEUE}
    assert here.drift() == []
    assert here.faults.operations.count("sns:Subscribe") == 1


def test_a_pending_one_is_no_drift_and_no_call_more(here: Here) -> None:
    """ListSubscriptionsByTopic shows no ARN of it, and GetSubscriptionAttributes needs one."""
    WANT.create(here.aws())
    here.faults.calls.clear()
    assert here.drift() == []
    assert here.faults.operations == ["sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic"]


def test_one_that_nobody_has_to_confirm_is_asked_about_beside_the_closing_look(here: Here) -> None:
    """A queue of this account is confirmed at once, and the reply holds its ARN (API_Subscribe)."""
    queue, aws = replace(WANT, protocol="sqs", endpoint=QUEUE), here.aws()
    asked = threading.Event()
    here.faults.rule = lambda _, operation: asked.set() if operation == "sns:GetSubscriptionAttributes" else None
    arn = queue.create(aws)["Arn"]
    assert asked.wait(30)
    aws.forget()
    live = queue.read(aws)
    assert live is not None
    assert live.outputs == {"Arn": arn, "State": "confirmed"}
    assert here.faults.operations.count("sns:GetSubscriptionAttributes") == 1


def test_one_without_is_drift_and_mended(here: Here) -> None:
    replace(WANT, redrive_policy={}).create(here.aws())
    arn = here.confirm()
    assert here.drift() == ["RedrivePolicy"]
    live = WANT.read(here.aws())
    assert live is not None
    WANT.update(here.aws(), live, frozenset(["RedrivePolicy"]))
    assert (here.policy(arn), here.drift()) == ({"deadLetterTargetArn": QUEUE}, [])


def test_switched_off_it_is_taken_away_again(here: Here) -> None:
    WANT.create(here.aws())
    arn = here.confirm()
    off = replace(WANT, redrive_policy={})
    assert here.drift(off) == ["RedrivePolicy.deadLetterTargetArn"]
    live = off.read(here.aws())
    assert live is not None
    off.update(here.aws(), live, frozenset(["RedrivePolicy"]))
    assert (here.policy(arn), here.drift(off)) == ({}, [])


def test_one_that_names_somebody_elses_queue_is_left_and_said(here: Here) -> None:
    WANT.create(here.aws())
    arn = here.confirm()
    here.set(arn, THEIRS)
    assert here.drift() == []
    live = WANT.read(here.aws())
    assert live is not None
    assert live.notes == (f"what SNS gives up goes to {THEIRS}, which is not ours",)


def test_one_that_names_a_former_queue_of_ours_is_drift(here: Here) -> None:
    WANT.create(here.aws())
    arn = here.confirm()
    here.faults.client("sqs").create_queue(QueueName="theirs", tags={"shnotify:name": "mine"})
    here.set(arn, THEIRS)
    assert here.drift() == ["RedrivePolicy.deadLetterTargetArn"]


def test_where_aws_refuses_it_the_subscription_is_made_without_and_stays_so(here: Here) -> None:
    """The refusal is noted on the topic, "sns:TagResource": no later apply tries again."""
    refusing(here, NO_SUCH_ATTRIBUTE)
    WANT.create(here.aws())
    arn = here.confirm()
    assert here.policy(arn) == {}
    assert here.tags() == [f"{REFUSED_TAG}email"]
    assert here.drift() == []


def test_where_aws_refuses_it_later_that_is_no_failure_either(here: Here) -> None:
    replace(WANT, redrive_policy={}).create(here.aws())
    confirm_subscription(WANT.endpoint)
    live = WANT.read(here.aws())
    assert live is not None
    refusing(here, NO_SUCH_ATTRIBUTE)
    WANT.update(here.aws(), live, frozenset(["RedrivePolicy"]))
    assert (here.tags(), here.drift()) == ([f"{REFUSED_TAG}email"], [])


def test_a_refusal_that_cannot_be_noted_is_no_failure(here: Here) -> None:
    refusing(here, NO_SUCH_ATTRIBUTE)
    first = here.faults.rule
    denied = faults.refuse("AuthorizationError", 403)
    here.faults.rule = lambda n, operation: denied if operation == "sns:TagResource" else first(n, operation)
    assert WANT.create(here.aws()) == {}  # it is made, and waits for its owner


def test_what_is_wrong_otherwise_is_told_as_it_is(here: Here) -> None:
    here.faults.rule = faults.on("sns:Subscribe", 2)(faults.refuse("InvalidParameter", 400, "Invalid email"))
    with pytest.raises(AwsError, match="Invalid email"):
        WANT.create(here.aws())
    assert here.tags() == []


def test_another_ones_attributes_prove_nothing_about_the_protocol(here: Here) -> None:
    """Somebody subscribed the address meanwhile, without a RedrivePolicy."""
    replace(WANT, redrive_policy={}).create(here.aws())
    assert WANT.create(here.aws()) == {}  # it is made, and waits for its owner
    assert here.tags() == []


def test_a_denied_look_is_no_drift(here: Here) -> None:
    """The delivery chain says that nobody can tell."""
    WANT.create(here.aws())
    confirm_subscription(WANT.endpoint)
    here.faults.rule = faults.on("sns:GetSubscriptionAttributes")(faults.refuse("AuthorizationError", 403))
    assert here.drift() == []
