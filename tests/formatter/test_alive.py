"""A sign of life: since when it counts, what it says, and that nothing keeps it back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from shnotify.formatter import HEARTBEAT
from shnotify.formatter.alive import DAYS, Counts, last_beat, sign_of_life
from shnotify.formatter.counting import counts_since
from shnotify.formatter.mail import mails
from shnotify.formatter.settings import Settings
from shnotify.notifier.heartbeat import HOURS

SETTINGS = Settings(
    topic_arn="arn:aws:sns:eu-west-1:123456789012:alerts",
    heartbeat="weekly",
    rule="alerts",
    queue="alerts-dlq",
    keeps_mail=True,
)
THURSDAY = datetime(2026, 11, 26, 9, 0, 20, tzinfo=UTC)


def said(counts: Counts, moment: datetime = THURSDAY, **chosen: Any) -> tuple[str, str]:
    settings = Settings(**{"heartbeat": "weekly", **chosen})
    return sign_of_life("mine", moment, settings, lambda _since: counts)


def test_it_says_what_happened_since_the_last_one() -> None:
    subject, body = said(Counts(14, False, 0, 0, 2))
    assert subject == "alive: 14 findings since Monday, none lost, 2 subscribers (mine)"
    assert body == (
        "alive: the alerts of mine get through\n\n"
        "A sign of life. It took the way of an alert; there is nothing to do.\n\n"
        "Findings mailed since 2026-11-23 09:00:00 +00:00 (UTC): 14\n"
        "Lost: 0\n"
        "In the dead-letter queue: 0\n"
        "Confirmed subscribers: 2\n"
    )


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        (Counts(1, False, 0, 0, 1), "1 finding since Monday, none lost, 1 subscriber"),
        (Counts(0, False, 0, 3, 2), "0 findings since Monday, 3 undelivered, 2 subscribers"),
        (Counts(9, False, 2, 1, 2), "9 findings since Monday, 2 lost, 1 undelivered, 2 subscribers"),
        (Counts(9, False, 0, None, 2), "9 findings since Monday, 2 subscribers"),
        (Counts(9, False, None, 0, None), "9 findings since Monday"),
        (Counts(70000, True, 0, 0, 2), "70000+ findings since Monday, none lost, 2 subscribers"),
    ],
)
def test_nothing_is_said_that_nobody_can_tell(counts: Counts, told: str) -> None:
    assert said(counts)[0] == f"alive: {told} (mine)"


def test_a_mail_that_could_count_nothing_is_plain_and_says_why() -> None:
    subject, body = said(Counts(unknown=("logs:FilterLogEvents (AccessDenied)",)))
    assert subject == "alive: the alerts of mine get through"
    assert "not all of what happened could be counted" in body
    assert "Cannot tell: logs:FilterLogEvents (AccessDenied)" in body


def test_in_japanese_and_by_the_readers_clock() -> None:
    subject, _ = said(Counts(14, False, 0, 0, 2), language="ja")
    assert subject == "正常: 月曜日以降の検出結果 14 件, 消失なし, 購読者 2 名 (mine)"
    assert "since Monday" in said(Counts(1), time_zone="America/New_York")[0]


@given(st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)), st.sampled_from(sorted(HOURS)))
def test_the_last_beat_is_the_one_before(moment: datetime, every: str) -> None:
    found = last_beat(moment, every)
    assert timedelta(hours=1) < moment - found <= timedelta(hours=HOURS[every])
    assert (found.hour, found.weekday() in DAYS[every]) == (9, True)


def test_a_heartbeat_that_is_not_told_to_count_is_plain() -> None:
    event = {"source": HEARTBEAT, "detail": {"notifier": "mine"}}
    for settings in (Settings(), SETTINGS):
        (mail,) = mails(event, settings)
        assert mail.subject == "alive: the alerts of mine get through"


class Aws:
    """Answers what is asked; each service can fail."""

    def __init__(self, *failing: str, pages: int = 1) -> None:
        self.failing, self.pages = failing, pages
        self.asked: list[Any] = []
        self.meta = SimpleNamespace(endpoint_url="https://sqs.eu-west-1.amazonaws.com")

    def __call__(self, service: str) -> Any:
        if service in self.failing:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "x")
        return self

    def filter_log_events(self, **given: Any) -> Any:
        self.asked.append(given)
        number = int(given.get("nextToken", 0))
        lines = [
            {"sent": "m", "finding": "a"},
            {"sent": "m", "finding": f"b{number}"},
            {"sent": "m", "finding": None},
            {"failed": "m", "finding": "c"},
        ]
        texts = [*map(json.dumps, lines), "REPORT", "[1]"]
        more = {"nextToken": str(number + 1)} if number + 1 < self.pages else {}
        return {"events": [{"message": text} for text in texts], **more}

    def get_metric_data(self, **given: Any) -> Any:
        self.asked.append(given)
        return {"MetricDataResults": [{"Values": [1.0, 2.0]}, {"Values": []}, {"Values": [1.0]}]}

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: list[str]) -> Any:  # noqa: N803
        assert QueueUrl == "https://sqs.eu-west-1.amazonaws.com/123456789012/alerts-dlq"
        return {"Attributes": dict.fromkeys(AttributeNames, "1")}

    def get_topic_attributes(self, TopicArn: str) -> Any:  # noqa: N803
        assert TopicArn == SETTINGS.topic_arn
        return {"Attributes": {"SubscriptionsConfirmed": "2"}}


def context(left: int = 60_000) -> Any:
    return SimpleNamespace(function_name="f", log_group_name="/aws/lambda/f", get_remaining_time_in_millis=lambda: left)


def counted(aws: Aws, settings: Settings = SETTINGS, left: int = 60_000) -> Counts:
    return counts_since(aws, settings, context(left), datetime(2026, 11, 23, 9, tzinfo=UTC))


def test_what_is_counted() -> None:
    assert counted(Aws(pages=3)) == Counts(4, False, 4, 3, 2)
    assert counted(Aws(pages=3), left=5_000) == Counts(2, True, 4, 3, 2)


@pytest.mark.parametrize(
    ("chosen", "metrics"),
    [
        (
            {},
            [
                "InvocationsFailedToBeSentToDlq",
                "DestinationDeliveryFailures",
                "NumberOfNotificationsFailedToRedriveToDlq",
            ],
        ),
        (
            {"keeps_mail": False},
            ["InvocationsFailedToBeSentToDlq", "DestinationDeliveryFailures", "NumberOfNotificationsFailed"],
        ),
        (
            {"queue": "", "keeps_mail": False},
            ["FailedInvocations", "AsyncEventsDropped", "NumberOfNotificationsFailed"],
        ),
    ],
)
def test_lost_is_what_no_queue_keeps(chosen: dict[str, Any], metrics: list[str]) -> None:
    aws = Aws()
    counted(aws, Settings(**{**vars(SETTINGS), **chosen}))
    queries = aws.asked[-1]["MetricDataQueries"]
    assert [one["MetricStat"]["Metric"]["MetricName"] for one in queries] == metrics


@pytest.mark.parametrize("service", ["logs", "cloudwatch", "sqs", "sns"])
def test_what_cannot_be_asked_is_missing_alone(service: str) -> None:
    found = counted(Aws(service))
    missing = [found.findings, found.lost, found.waiting, found.subscribers].count(None)
    assert (missing, len(found.unknown)) == (1, 1)
    assert found.unknown[0].startswith(f"{service}:")
    assert found.unknown[0].endswith("(AccessDenied)")


def test_data_that_came_in_part_is_no_data() -> None:
    aws = Aws()
    aws.get_metric_data = lambda **_: {"MetricDataResults": [{"Values": [], "StatusCode": "InternalError"}]}  # type: ignore[method-assign]
    assert counted(aws).lost is None
