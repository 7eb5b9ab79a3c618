"""The caller: what a refusal means for the calls after it."""

from __future__ import annotations

import pytest

from shnotify.aws.failures import AwsError, StopError
from tests.support import faults
from tests.support.faults import REGION, Faults, gateway


@pytest.mark.parametrize(
    "code", ["ExpiredTokenException", "InvalidClientTokenId", "SignatureDoesNotMatch", "RequestTimeTooSkewed"]
)
def test_after_a_refusal_that_no_call_can_pass_no_call_is_sent(code: str) -> None:
    seen = Faults()
    aws = gateway(seen)(region=REGION, allowed=None)
    seen.rule = lambda _n, _o: faults.refuse(code)
    with pytest.raises(StopError, match=code):
        aws(aws.sns.list_topics)
    with pytest.raises(StopError, match=code):
        aws(aws.sqs.list_queues)
    assert seen.operations == ["sns:ListTopics"]


def test_after_any_other_refusal_the_next_call_is_sent() -> None:
    seen = Faults()
    aws = gateway(seen)(region=REGION, allowed=None)
    seen.rule = lambda _n, _o: faults.refuse("InvalidParameterValue")
    for ask in (aws.sns.list_topics, aws.sqs.list_queues):
        with pytest.raises(AwsError, match="InvalidParameterValue"):
            aws(ask)
    assert seen.operations == ["sns:ListTopics", "sqs:ListQueues"]


def test_the_end_of_one_notifiers_credentials_is_not_the_others() -> None:
    seen = Faults()
    aws = gateway(seen)(region=REGION, allowed=None)
    first, second = aws.apart(), aws.apart()
    seen.rule = lambda n, _o: faults.refuse("ExpiredTokenException") if n == 1 else faults.refuse("NotFound")
    with pytest.raises(StopError):
        first(first.sns.list_topics)
    with pytest.raises(AwsError, match="NotFound"):
        second(second.sns.list_topics)
