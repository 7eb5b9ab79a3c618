"""Many findings at once: which mails they become, what fails alone, and how fast they go out."""

from __future__ import annotations

import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from shnotify.formatter import main, text
from shnotify.formatter.batch import PACE, is_batch
from shnotify.formatter.finding import findings_in
from shnotify.formatter.settings import Settings, SettingsError
from tests.support.folding import (
    SUSPENDS_AT,
    Killed,
    Means,
    RefusedError,
    Sns,
    batch,
    event,
    finding_id,
    record,
    replay,
)
from tests.support.samples import sample

TOPIC = "arn:aws:sns:eu-west-1:123456789012:alerts"


def folding(after: int | None = 5, **chosen: Any) -> Settings:
    return Settings(topic_arn=TOPIC, fold_after=after, **{"dedup": "notified", **chosen})


def worked(records: Sequence[Any], chosen: Settings | None = None, **options: Any) -> tuple[Means, set[str]]:
    means = Means(Sns(), 0.0, **options)
    return means, batch(records, chosen or folding(), means)


# Which mails


def test_up_to_after_findings_are_mails_of_their_own_and_the_others_share_one() -> None:
    means, again = worked([record(n) for n in range(12)])
    assert again == set()
    assert [len(mail[3]) for mail in means.sns.mails] == [1, 1, 1, 1, 1, 7]
    assert sorted(means.sns.named) == sorted(finding_id(n) for n in range(12))


def test_as_many_as_after_share_nothing() -> None:
    means, _ = worked([record(n) for n in range(5)])
    assert [len(mail[3]) for mail in means.sns.mails] == [1, 1, 1, 1, 1]


def test_what_a_shared_mail_says() -> None:
    low: dict[str, Any] = {"Severity": {"Label": "LOW"}, "Title": "A low one"}
    means, _ = worked([record(1), record(2), record(3, **low)], folding(after=0))
    ((_, subject, body, _),) = means.sns.mails
    assert subject == "[HIGH] 3 findings: 2 HIGH, 1 LOW"
    link = (
        "https://console.aws.amazon.com/securityhub/home?region=ap-northeast-1#/findings?search="
        "Id%3D%255Coperator%255C%253AEQUALS%255C%253A"
    )
    assert body == (
        "These 3 findings came within a short time, so they share a mail.\n"
        "2 HIGH, 1 LOW\n"
        "\n"
        "[HIGH] S3.8 S3 general purpose buckets should block public access (2)\n"
        "- 111122223333 prod ap-northeast-1 arn:aws:s3:::bucket-00000001\n"
        f"  {link}{finding_id(1)}\n"
        "- 111122223333 prod ap-northeast-1 arn:aws:s3:::bucket-00000002\n"
        f"  {link}{finding_id(2)}\n"
        "\n"
        "[LOW] S3.8 A low one (1)\n"
        "- 111122223333 prod ap-northeast-1 arn:aws:s3:::bucket-00000003\n"
        f"  {link}{finding_id(3)}\n"
    )


def test_in_japanese() -> None:
    means, _ = worked([record(1), record(2)], folding(after=0, language="ja"))
    ((_, subject, body, _),) = means.sns.mails
    assert subject == "[HIGH] 検出結果 2 件: 2 HIGH"
    assert body.startswith("短時間に届いた検出結果 2 件を 1 通にまとめました。\n")


def test_the_gravest_are_mails_of_their_own() -> None:
    levels = ["LOW", "MEDIUM", "CRITICAL", "HIGH", "INFORMATIONAL"]
    records = [record(n, Severity={"Label": level}) for n, level in enumerate(levels)]
    passed = record(9, Severity={"Label": "CRITICAL"}, Compliance={"Status": "PASSED"})
    means, _ = worked([passed, *records], folding(after=2))
    assert [mail[3] for mail in means.sns.mails[:2]] == [(finding_id(2),), (finding_id(3),)]
    assert means.sns.mails[2][3][-1] == finding_id(9)


def test_without_after_each_is_a_mail_of_its_own() -> None:
    """Folding was switched off; the buffer is emptied."""
    means, _ = worked([record(n) for n in range(7)], folding(after=None))
    assert [len(mail[3]) for mail in means.sns.mails] == [1] * 7


def test_what_is_not_due_is_not_mailed_and_does_not_come_again() -> None:
    means, again = worked([record(1, Workflow={"Status": "NOTIFIED"}), record(2)])
    assert means.sns.named == [finding_id(2)]
    assert again == set()


def test_an_event_without_findings_is_a_mail_of_its_own() -> None:
    insight = {**record(1), "body": json.dumps(sample("cspm-insight-results"))}
    means, again = worked([insight, record(2), record(3)], folding(after=0))
    assert [len(mail[3]) for mail in means.sns.mails] == [0, 2]
    assert again == set()


def test_more_than_a_mail_holds_become_several_mails() -> None:
    records = [record(n, AwsAccountName="n" * 50, Title=f"{n:04d}{'t' * 250}") for n in range(500)]
    means, _ = worked(records, folding(after=0))
    assert len(means.sns.mails) == 2
    assert Counter(means.sns.named) == Counter(finding_id(n) for n in range(500))
    for _, _, body, ids in means.sns.mails:
        assert len(body.encode()) <= text.MAX_BODY
        assert "cut here" not in body
        assert all(one in body for one in ids)


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "Title": st.text(max_size=400),
                "AwsAccountName": st.text(max_size=60),
                "Severity": st.fixed_dictionaries({"Label": st.text(max_size=20)}),
                "Compliance": st.none() | st.dictionaries(st.text(), st.text(), max_size=2),
                "Resources": st.lists(st.dictionaries(st.sampled_from(["Id", "Type"]), st.text()), max_size=3),
            },
        ),
        max_size=8,
    ),
    st.none() | st.integers(0, 4),
)
@hypothesis_settings(max_examples=60, deadline=None)
def test_every_finding_is_named_whatever_it_holds(changes: list[dict[str, Any]], after: int | None) -> None:
    records = []
    for number, change in enumerate(changes):
        one = event(number)
        one["detail"]["findings"][0] |= change
        records.append({**record(number), "body": json.dumps(one)})
    due = [findings_in(json.loads(each["body"]))[0] for each in records]
    means, again = worked(records, folding(after, dedup="none"))
    assert again == set()
    assert Counter(means.sns.named) == Counter(each.id for each in due)
    for _, subject, body, ids in means.sns.mails:
        assert all(each in body for each in ids)
        assert 0 < len(subject.encode("utf-16-le")) // 2 < 100


# What fails alone


@pytest.mark.parametrize("body", ["", "{", "no JSON", "[" * 100_000])
def test_a_message_that_is_no_event_comes_again_alone(body: str) -> None:
    means, again = worked([record(1), record(2, body=body), *(record(n) for n in range(3, 20))])
    assert again == {"m2"}
    assert finding_id(19) in means.sns.named
    assert means.logged[0]["failed"] == "m2"


def poisoned(what: str, *numbers: int, code: str = "InvalidParameter") -> Callable[[str, Sequence[str]], None]:
    """Every call about one of these findings is refused."""

    def fault(step: str, ids: Sequence[str]) -> None:
        if step == what and any(finding_id(n) in ids for n in numbers):
            raise RefusedError(code)

    return fault


@pytest.mark.parametrize("number", [0, 7, 39])
@pytest.mark.parametrize("what", ["send", "mark"])
def test_a_poisonous_finding_does_not_stop_its_batch(what: str, number: int) -> None:
    code = {"send": "InvalidParameter", "mark": "InvalidInputException"}[what]
    means, again = worked([record(n) for n in range(40)], fault=poisoned(what, number, code=code))
    assert again == {f"m{number}"}
    others = {finding_id(n) for n in range(40)} - {finding_id(number)}
    assert others <= set(means.sns.named)
    assert set(means.marked) == others
    assert max(Counter(means.sns.named).values()) == 1


def test_an_outage_is_not_taken_for_a_poisonous_finding() -> None:
    means, again = worked([record(n) for n in range(40)], fault=poisoned("send", *range(5, 40), code="Throttling"))
    assert again == {f"m{n}" for n in range(5, 40)}
    assert len(means.sns.mails) == 5
    assert means.now < 6 * PACE + 1


def test_what_security_hub_does_not_take_comes_again_alone() -> None:
    means, again = worked([record(n) for n in range(40)], refused={finding_id(11): "AccessDenied"})
    assert again == {"m11"}
    assert len(means.marked) == 39


def test_it_is_sent_first_and_marked_then() -> None:
    means, _ = worked([record(n) for n in range(40)])
    for place, (what, ids) in enumerate(means.order):
        if what == "mark":
            assert set(ids) <= {one for step, sent in means.order[:place] if step == "send" for one in sent}


def test_what_no_time_is_left_for_comes_again() -> None:
    means, again = worked([record(n) for n in range(10)], folding(after=None), lasts=17)
    assert 0 < len(means.sns.mails) < 10
    assert len(again) == 10 - len(means.sns.mails)


# How fast


def flood(count: int, seconds: float) -> list[tuple[float, dict[str, Any]]]:
    return [(n * seconds / count, record(n)) for n in range(count)]


def replayed(count: int, fault: Any = lambda _what, _ids: None) -> tuple[Sns, list[list[str]]]:
    return replay(flood(count, 60), folding(), size=500, window=60, hidden=780, fault=fault)


def test_ten_thousand_findings_in_a_minute_suspend_nobody_and_all_are_named() -> None:
    sns, _ = replayed(10_000)
    assert sns.most_in_a_second <= 5 < SUSPENDS_AT
    assert Counter(sns.named) == Counter(finding_id(n) for n in range(10_000))
    assert len(sns.mails) <= 20 * 7
    for _, _, body, ids in sns.mails:
        assert set(ids) <= set(re.findall(r"arn:aws:securityhub:\S+", body))


def crashing(at: int) -> Callable[[str, Sequence[str]], None]:
    """The function dies at its n-th step: before or after a mail, or before a mark."""
    steps = 0

    def fault(_what: str, _ids: Sequence[str]) -> None:
        nonlocal steps
        steps += 1
        if steps == at:
            raise Killed

    return fault


def _crash(count: int, at: int) -> None:
    sns, crashed = replayed(count, crashing(at))
    assert {finding_id(n) for n in range(count)} == set(sns.named)
    twice = {one for one, times in Counter(sns.named).items() if times > 1}
    assert max(Counter(sns.named).values()) <= 2
    assert twice <= {finding_id(int(one[1:])) for batch_ in crashed for one in batch_}
    assert sns.most_in_a_second <= 5


@pytest.mark.parametrize("at", [1, 2, 3, 9, 18, 20, 21])
def test_after_a_crash_at_most_the_batch_in_flight_is_repeated(at: int) -> None:
    _crash(1200, at)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(60))
def test_after_any_crash_at_most_the_batch_in_flight_is_repeated(seed: int) -> None:
    chance = random.Random(seed)
    _crash(chance.randrange(1, 3000), chance.randrange(1, 60))


# As AWS runs it


def test_a_batch_is_told_from_an_event() -> None:
    assert is_batch({"Records": [record(1)]})
    others: list[Any] = [event(1), {"Records": [{"eventSource": "aws:sns"}]}, {"Records": 1}, [], None]
    for other in others:
        assert not is_batch(other)


class Hub:
    """A recording Security Hub."""

    def __init__(self, *refused: dict[str, Any]) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.refused = list(refused)

    def batch_update_findings(self, **given: Any) -> dict[str, Any]:
        self.calls.append(("cspm", given))
        return {"UnprocessedFindings": self.refused}

    def batch_update_findings_v2(self, **given: Any) -> dict[str, Any]:
        self.calls.append(("hub", given))
        return {"UnprocessedFindings": self.refused}


def handled(records: list[Any], chosen: Settings, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, list[Any]]:
    sent: list[Any] = []

    def publish(**given: Any) -> dict[str, str]:
        sent.append(given)
        return {"MessageId": "id"}

    sns = SimpleNamespace(publish=publish)
    monkeypatch.setattr(main, "_settings", lambda: Settings.load(chosen.to_text()))
    monkeypatch.setattr(main, "_sns", lambda: sns)
    monkeypatch.setattr(main, "_security_hub", lambda: hub)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    context: Any = SimpleNamespace(
        invoked_function_arn="arn:aws:lambda:eu-west-1:123456789012:function:f",
        get_remaining_time_in_millis=lambda: 120_000,
    )
    return main.handler({"Records": records}, context), sent


def test_a_shared_mail_is_marked_by_one_call_for_a_hundred(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub()
    answer, sent = handled([record(n) for n in range(230)], folding(after=0), hub, monkeypatch)
    assert answer == {"batchItemFailures": []}
    assert len(sent) == 1
    assert [len(given["FindingIdentifiers"]) for _, given in hub.calls] == [100, 100, 30]
    assert {given["Workflow"]["Status"] for _, given in hub.calls} == {"NOTIFIED"}


def test_both_services_are_marked_by_their_own_call(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub()
    new = {**record(9), "body": json.dumps(sample("hub-guardduty-detection"))}
    handled([record(1), new, record(2)], folding(after=0), hub, monkeypatch)
    counts = [
        (which, len(given["FindingIdentifiers" if which == "cspm" else "MetadataUids"])) for which, given in hub.calls
    ]
    assert sorted(counts) == [("cspm", 2), ("hub", 1)]


def test_a_refused_mark_names_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    product = json.loads(record(3)["body"])["detail"]["findings"][0]["ProductArn"]
    refused = {"FindingIdentifier": {"Id": finding_id(3), "ProductArn": product}, "ErrorCode": "x", "ErrorMessage": "y"}
    answer, _ = handled([record(n) for n in range(10)], folding(after=0), Hub(refused), monkeypatch)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m3"}]}


def test_a_refused_mark_that_names_nobody_puts_all_of_its_call_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    answer, _ = handled([record(n) for n in range(3)], folding(after=0), Hub({"ErrorCode": "x"}), monkeypatch)
    assert {one["itemIdentifier"] for one in answer["batchItemFailures"]} == {"m0", "m1", "m2"}


@pytest.mark.parametrize("value", ["5", True, 1.5, None])
def test_after_is_a_whole_number(value: Any) -> None:
    with pytest.raises(SettingsError, match="fold_after: must be int"):
        Settings.load(json.dumps({"topic_arn": TOPIC, "fold_after": value}))
