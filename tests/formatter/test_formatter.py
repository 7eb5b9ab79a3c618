"""The Lambda's code: what it sends and marks, run as AWS runs it; its texts under hostile input."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.client
import pytest
from moto import mock_aws

import shnotify.formatter
from shnotify.formatter import main, text
from shnotify.formatter.fields import FIELD_NAMES
from shnotify.formatter.finding import findings_in
from shnotify.formatter.mail import Mail, field_values, mails
from shnotify.formatter.settings import Settings
from shnotify.mail import archive as bundle
from tests.support.samples import sample

REGION = "ap-northeast-1"
TOPIC = f"arn:aws:sns:{REGION}:123456789012:security-alerts-urgent"
MARKER = "shnotify-urgent"
CONTEXT = SimpleNamespace(
    invoked_function_arn=f"arn:aws:lambda:{REGION}:123456789012:function:security-alerts-urgent-formatter"
)
"""What Lambda tells a function about itself, as far as ours asks."""


def settings(**chosen: Any) -> Settings:
    return Settings(**({"topic_arn": TOPIC, "marker": MARKER} | chosen))


class Account:
    """A moto account with the topic, a queue that gets what subscribers get, and a recording Security Hub."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.updates: list[tuple[str, dict[str, Any]]] = []
        self.refused: list[dict[str, Any]] = []
        self.order: list[str] = []
        self.failing: set[str] = set()
        self.monkeypatch = monkeypatch
        boto3.client("sns").create_topic(Name=TOPIC.rpartition(":")[2])
        self.sqs = boto3.client("sqs")
        self.queue = self.sqs.create_queue(QueueName="inbox")["QueueUrl"]
        boto3.client("sns").subscribe(
            TopicArn=TOPIC, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:123456789012:inbox"
        )
        inner = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]

        def call(client: Any, operation: str, arguments: dict[str, Any]) -> Any:
            self.order.append(operation)
            if operation in self.failing:
                raise RuntimeError(f"{operation} failed")
            # moto knows no BatchUpdateFindings; the SDK's own model still checks the arguments.
            if operation.startswith("BatchUpdateFindings"):
                client._convert_to_request_dict(
                    arguments, client.meta.service_model.operation_model(operation), "https://localhost"
                )
                self.updates.append((operation, arguments))
                return {"ProcessedFindings": [], "UnprocessedFindings": self.refused}
            return inner(client, operation, arguments)

        monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)

    def run(self, event: dict[str, Any], chosen: Settings) -> dict[str, int]:
        self.monkeypatch.setattr(main, "_settings", lambda: Settings.load(chosen.to_text()))
        # Events come to the function as JSON.
        return main.handler(json.loads(json.dumps(event)), CONTEXT)

    def inbox(self) -> list[tuple[str, str]]:
        found = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", [])
        envelopes = [json.loads(message["Body"]) for message in found]
        return [(envelope["Subject"], envelope["Message"]) for envelope in envelopes]


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name, value in {"AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for cache in (main._sns, main._security_hub):
        cache.cache_clear()
    with mock_aws():
        yield Account(monkeypatch)
    for cache in (main._sns, main._security_hub):
        cache.cache_clear()


# As AWS runs it


def test_a_finding_becomes_a_readable_mail(account: Account) -> None:
    chosen = settings(sso_start_url="https://example.awsapps.com/start")
    assert account.run(sample("cspm-control-s3"), chosen) == {"sent": 1}
    ((subject, body),) = account.inbox()
    assert subject.endswith("should block public acce… (prod 111122223333 ap-northeast-1)")
    assert body == (
        "HIGH S3.8 S3 general purpose buckets should block public access\n"
        "\n"
        "What is wrong\n"
        "  This control checks whether an Amazon S3 general purpose bucket blocks public access at the bucket level.\n"
        "\n"
        "Where\n"
        "  Account: 111122223333 (prod)\n"
        "  Region: ap-northeast-1\n"
        "  Product: Security Hub\n"
        "  Control: S3.8\n"
        "  Compliance: FAILED\n"
        "  Status: NEW / ACTIVE\n"
        "  Type: Software and Configuration Checks/Industry and Regulatory Standards\n"
        "  Resource: AwsS3Bucket arn:aws:s3:::customer-exports\n"
        "\n"
        "How to fix it\n"
        "  For information on how to correct this issue, consult the AWS Security Hub controls documentation.\n"
        "  https://docs.aws.amazon.com/console/securityhub/S3.8/remediation\n"
        "\n"
        "Links\n"
        "  Console: https://console.aws.amazon.com/securityhub/home?region=ap-northeast-1#/findings?search="
        "Id%3D%255Coperator%255C%253AEQUALS%255C%253Aarn:aws:securityhub:ap-northeast-1:111122223333"
        ":security-control/S3.8/finding/0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d\n"
        "  Sign in: https://example.awsapps.com/start\n"
        "\n"
        "When\n"
        "  Created: 2026-01-15 03:21:50 +00:00 (UTC)\n"
        "  Updated: 2026-01-15 03:21:50 +00:00 (UTC)\n"
        "  First seen: 2026-01-15 03:21:50 +00:00 (UTC)\n"
        "\n"
        "Finding: arn:aws:securityhub:ap-northeast-1:111122223333:security-control/S3.8/finding/"
        "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d\n"
    )
    assert account.updates == []


def test_in_japanese_and_japanese_time(account: Account) -> None:
    account.run(sample("cspm-japanese"), settings(language="ja", time_zone="Asia/Tokyo"))
    ((subject, body),) = account.inbox()
    assert subject.startswith("[CRITICAL] インターネットに公開された管理画面")
    assert subject.endswith("… (本番環境 111122223333 ap-northeast-1)")
    assert text.units(subject) <= 99
    assert "内容\n  管理画面がインターネットに公開されています。\n  アクセス元を制限してください。\n" in body
    assert "アカウント: 111122223333 (本番環境)" in body
    assert "作成: 2026-01-15 12:00:00 +09:00 (Asia/Tokyo)" in body


def test_an_ocsf_finding(account: Account) -> None:
    account.run(sample("hub-guardduty-detection"), settings())
    ((subject, body),) = account.inbox()
    assert subject.startswith("[HIGH] The API GetCallerIdentity was invoked")
    assert 'A user used the API "sts:GetCallerIdentity" from 198.51.100.23,\n  a known malicious address.' in body
    assert "Resource: AWS::IAM::AccessKey AKIAIOSFODNN7EXAMPLE\n" in body
    assert f"Resource: AWS::EC2::Instance arn:aws:ec2:{REGION}:111122223333:instance/i-0fedcba9876543210\n" in body
    assert "/securityhub/v2/home?region=ap-northeast-1#/findings?search=finding_info.uid%3D" in body


def test_many_resources_are_counted(account: Account) -> None:
    account.run(sample("cspm-control-25-resources"), settings())
    ((_, body),) = account.inbox()
    assert body.count("Resource: AwsElbv2LoadBalancer") == 20
    assert "... and 5 more\n" in body


def test_a_custom_action_sends_all_its_findings_and_says_so(account: Account) -> None:
    event = sample("cspm-custom-action-two-findings")
    assert account.run(event, settings(dedup="notified")) == {"sent": 2}
    assert all("Sent by the custom action: Send to security" in body for _, body in account.inbox())
    # The one that was NOTIFIED already stays as it is.
    assert [update["FindingIdentifiers"][0]["ProductArn"][-9:] for _, update in account.updates] == ["guardduty"]


def test_an_event_without_findings_is_sent_as_it_is(account: Account) -> None:
    account.run(sample("cspm-insight-results"), settings())
    ((subject, body),) = account.inbox()
    assert subject == "Security Hub Insight Results"
    assert json.loads(body.partition("\n\n")[2]) == sample("cspm-insight-results")


def test_an_unforeseen_shape_is_sent_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shnotify.formatter.mail.field_values", lambda *_: 1 / 0)
    (mail,) = mails(sample("cspm-control-s3"), settings())
    assert "could not be formatted; here it is as it came (ZeroDivisionError)" in mail.body
    assert "customer-exports" in mail.body


def test_templates_of_ones_own(account: Account) -> None:
    chosen = settings(subject="{severity}: {title} {{now}}", body="{account}\n{resources}\n{description} {action}")
    account.run(sample("cspm-guardduty-s3-malware"), chosen)
    ((subject, body),) = account.inbox()
    assert subject == "HIGH: A malicious file was detected in the S3 object. {now}"
    assert body.splitlines()[:3] == [
        "111122223333",
        'AwsS3Object arn:aws:s3:::uploads/in"voice\\2026.exe',
        "AwsS3Bucket arn:aws:s3:::uploads",
    ]


def test_every_named_field_has_a_value() -> None:
    event = sample("cspm-control-s3")
    assert set(field_values(findings_in(event)[0], event, settings())) == set(FIELD_NAMES)


# Duplicates


def sent(name: str, **chosen: Any) -> list[Mail]:
    return mails(sample(name), settings(**chosen))


@pytest.mark.parametrize(
    ("dedup", "name", "expected"),
    [
        ("none", "cspm-control-daily-repeat", 1),
        ("none", "cspm-control-notified", 1),
        ("new-only", "cspm-control-s3", 1),
        ("new-only", "cspm-control-daily-repeat", 0),
        ("new-only", "hub-compliance-create", 1),
        ("new-only", "hub-compliance-update", 0),
        ("new-only", "cspm-custom-action", 1),
        ("notified", "cspm-control-s3", 1),
        ("notified", "cspm-control-daily-repeat", 1),  # still NEW: the first mail was never marked
        ("notified", "cspm-control-notified", 0),  # our own update, come back
        ("notified", "hub-compliance-in-progress", 0),
        ("notified", "cspm-control-passed", 1),
        ("notified", "cspm-custom-action", 1),
    ],
)
def test_dedup(dedup: str, name: str, expected: int) -> None:
    assert len(sent(name, dedup=dedup)) == expected


def test_new_only_sends_when_the_times_say_nothing() -> None:
    event = sample("cspm-control-daily-repeat")
    event["detail"]["findings"][0]["UpdatedAt"] = "yesterday"
    assert len(mails(event, settings(dedup="new-only"))) == 1


def test_sent_first_then_marked(account: Account) -> None:
    account.run(sample("cspm-control-s3"), settings(dedup="notified"))
    assert account.order[-2:] == ["Publish", "BatchUpdateFindings"]
    found = sample("cspm-control-s3")["detail"]["findings"][0]
    identifiers = [{"Id": found["Id"], "ProductArn": found["ProductArn"]}]
    assert account.updates == [
        ("BatchUpdateFindings", {"FindingIdentifiers": identifiers, "Workflow": {"Status": "NOTIFIED"}})
    ]


def test_ocsf_is_marked_in_progress(account: Account) -> None:
    account.run(sample("hub-compliance-create"), settings(dedup="notified", resolved=True))
    uid = sample("hub-compliance-create")["detail"]["findings"][0]["metadata"]["uid"]
    expected = {"MetadataUids": [uid], "StatusId": 2, "Comment": "shnotify-urgent: mailed"}
    assert account.updates == [("BatchUpdateFindingsV2", expected)]


def test_a_persons_comment_is_kept(account: Account) -> None:
    event = sample("hub-compliance-create")
    event["detail"]["findings"][0]["comment"] = "looking into it"
    account.run(event, settings(dedup="notified", resolved=True))
    assert "Comment" not in account.updates[0][1]


def test_what_is_not_new_is_not_marked(account: Account) -> None:
    account.run(sample("cspm-control-suppressed"), settings(dedup="notified"))
    assert account.updates == []


def test_a_failed_publish_marks_nothing_and_is_raised(account: Account) -> None:
    account.failing.add("Publish")
    with pytest.raises(main.DeliveryError, match=r"1 of 1 failed: arn:.*Publish failed"):
        account.run(sample("cspm-control-s3"), settings(dedup="notified"))
    assert account.updates == []


def test_a_failed_mark_is_raised_after_the_mail_is_out(account: Account) -> None:
    account.failing.add("BatchUpdateFindings")
    with pytest.raises(main.DeliveryError):
        account.run(sample("cspm-control-s3"), settings(dedup="notified"))
    assert len(account.inbox()) == 1


def test_a_refused_mark_is_raised(account: Account) -> None:
    account.refused = [{"ErrorCode": "FindingNotFound", "ErrorMessage": "no such finding"}]
    with pytest.raises(main.DeliveryError, match="sent, but not marked: FindingNotFound no such finding"):
        account.run(sample("cspm-control-s3"), settings(dedup="notified"))


def test_one_failure_does_not_keep_the_others_back(account: Account) -> None:
    account.failing.add("BatchUpdateFindings")
    event = sample("cspm-custom-action-two-findings")
    event["detail"]["findings"].reverse()
    with pytest.raises(main.DeliveryError, match="1 of 2 failed"):
        account.run(event, settings(dedup="notified"))
    assert len(account.inbox()) == 2


# Resolution


@pytest.mark.parametrize("name", ["cspm-control-resolved-after-mail", "hub-compliance-resolved-after-mail"])
def test_a_note_when_a_mailed_finding_is_resolved(account: Account, name: str) -> None:
    account.run(sample(name), settings(dedup="notified", resolved=True))
    ((subject, body),) = account.inbox()
    assert subject.startswith("[RESOLVED] ")
    assert body.startswith("This finding, which was mailed before, is resolved.\n")
    ((operation, update),) = account.updates
    if operation == "BatchUpdateFindings":
        assert update["UserDefinedFields"] == {"shnotify-urgent": "resolved", "ticket": "SEC-42"}
        assert "Workflow" not in update
    else:
        assert update["Comment"] == "shnotify-urgent: resolved"
        assert "StatusId" not in update


def test_the_note_comes_once() -> None:
    event = sample("cspm-control-resolved-after-mail")
    event["detail"]["findings"][0]["UserDefinedFields"][MARKER] = "resolved"
    assert mails(event, settings(dedup="notified", resolved=True)) == []


def test_the_mark_remembers_what_was_mailed(account: Account) -> None:
    event = sample("cspm-control-s3")
    event["detail"]["findings"][0]["UserDefinedFields"] = {"ticket": "SEC-42"}
    account.run(event, settings(dedup="notified", resolved=True))
    assert account.updates[0][1]["UserDefinedFields"] == {"ticket": "SEC-42", MARKER: "mailed"}


def test_too_many_fields_of_others_leave_the_status_alone_to_mark(account: Account) -> None:
    event = sample("cspm-control-s3")
    event["detail"]["findings"][0]["UserDefinedFields"] = {f"k{n}": "v" for n in range(50)}
    account.run(event, settings(dedup="notified", resolved=True))
    assert "UserDefinedFields" not in account.updates[0][1]


# The archive


def test_the_directory_runs_zipped_without_the_rest_of_shnotify(tmp_path: Path) -> None:
    (tmp_path / "function.zip").write_bytes(bundle.archive('{"language": "fr"}'))
    module, _, function = shnotify.formatter.HANDLER.rpartition(".")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'function.zip')!r}); import {module} as m\n"
        "assert not any(name.split('.')[0] == 'shnotify' for name in sys.modules)\n"
        f"try: m.{function}({{}}, None)\nexcept ValueError as error: print(error)"
    )
    ran = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert "settings.json: language: must be one of en, ja" in ran.stdout
