"""`shnotify match` and `shnotify render`, as a user calls them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shnotify.commands import _opening as opening
from tests.conftest import Ran, World
from tests.support import faults
from tests.support.faults import REGION

SAMPLES = Path(__file__).parents[1] / "data"
NAMES = sorted(path.name for path in SAMPLES.glob("*.json"))
TWO = f"""\
name: security-alerts
region: {REGION}
routes:
  - name: urgent
    source: both
    subscribers: [secops@example.com]
  - name: quiet
    source: auto
    findings: {{severity: [LOW]}}
    message: {{format: lambda, language: ja, time_zone: Asia/Tokyo, dedup: none}}
"""


@pytest.fixture
def two(world: World) -> World:
    world.write(TWO)
    return world


def sample(name: str) -> str:
    return str(SAMPLES / name)


def event(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text(encoding="utf-8"))


def pipe(monkeypatch: pytest.MonkeyPatch, raw: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))


def test_where_each_finding_goes_and_what_stops_the_others(two: World) -> None:
    ran = two.run("match", sample("cspm-control-s3.json"), sample("cspm-control-passed.json"))
    assert (ran.code, ran.json["error"]) == (0, None)
    first, second = ran.json["findings"]
    assert first["id"] == event("cspm-control-s3.json")["detail"]["findings"][0]["Id"]
    assert first["route"] == ["urgent"]
    assert {reason["route"] for reason in first["stopped_by"]} == {"quiet"}
    assert second["route"] == []
    assert {
        "route": "urgent",
        "path": "detail.findings.Severity.Label",
        "expected": ["CRITICAL", "HIGH"],
        "actual": "INFORMATIONAL",
    } in second["stopped_by"]
    assert two.faults.calls == []


def test_the_text_says_it_in_words(two: World) -> None:
    ran = two.text("match", sample("cspm-control-passed.json"))
    assert "nowhere" in ran.out
    assert 'urgent: detail.findings.Severity.Label is "INFORMATIONAL"; it must be "CRITICAL" or "HIGH"' in ran.out
    assert ran.out.endswith("0 of 1 go somewhere, 1 nowhere.\n")


def test_an_event_with_several_findings_tells_each(two: World) -> None:
    found = two.run("match", sample("cspm-custom-action-two-findings.json")).json["findings"]
    assert len({one["id"] for one in found}) == 2


def test_findings_lists_and_lines_from_a_pipe(two: World, monkeypatch: pytest.MonkeyPatch) -> None:
    findings = [event(name)["detail"]["findings"][0] for name in NAMES if event(name)["detail"].get("findings")]
    lines = "\n".join(json.dumps(finding) for finding in findings)
    for raw in (json.dumps({"Findings": findings}).encode(), lines.encode(), b"\xff\xfe" + lines.encode("utf-16-le")):
        pipe(monkeypatch, raw)
        assert len(two.run("match", "-").json["findings"]) == len(findings)


def test_a_match_by_different_resources_is_told(world: World) -> None:
    fields = "{resource_types: [AwsS3Object], resource_ids: ['arn:aws:s3:::uploads']}"
    world.write(world.path.read_text() + f"    findings: {fields}\n")
    ran = world.run("match", sample("cspm-guardduty-s3-malware.json"), sample("cspm-control-s3.json"))
    assert ran.json["findings"][0]["route"] == ["urgent"]
    assert ran.err.count("its fields match in different entries of one array; AWS does not document whether") == 1


def test_a_rule_that_is_switched_off_sends_nothing(world: World) -> None:
    world.write(world.path.read_text() + "    rule: {enabled: false}\n")
    [one] = world.run("match", sample("cspm-control-s3.json")).json["findings"]
    assert (one["route"], [reason["path"] for reason in one["stopped_by"]]) == ([], ["rule.enabled"])


def test_eventbridge_itself_is_asked(two: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shnotify.aws.gateway.Aws", vars(opening)["Aws"])  # the one whose calls the test sees
    ran = two.run("match", "--aws", *map(sample, NAMES))
    assert ran.code == 0, ran.err
    assert all(one["aws"] == one["route"] for one in ran.json["findings"])
    assert set(two.faults.operations) == {"events:TestEventPattern"}


BAD: dict[str, tuple[bytes, str]] = {
    "not JSON": (b"{,}", "line 1, column 2: not valid JSON"),
    "a later line": (b'{"detail-type": "x", "detail": {}}\n[1]', "line 2, column 2"),
    "nothing": (b"", "there is no event here"),
    "NaN": (b'{"detail": NaN}', "NaN is no JSON value"),
    "a number": (b"1", "neither an event nor a finding"),
    "binary": (b"\x80\x81", "not UTF-8"),
    "deep": (b"[" * 100_000, "nested too deeply"),
}


@pytest.mark.parametrize("command", ["match", "render"])
@pytest.mark.parametrize("what", BAD)
def test_bad_input_says_where(two: World, tmp_path: Path, command: str, what: str) -> None:
    raw, words = BAD[what]
    (tmp_path / "events").write_bytes(raw)
    ran = two.run(command, str(tmp_path / "events"))
    assert ran.code == 2
    assert words in ran.json["error"]["message"]
    assert "events" in ran.json["error"]["message"]


@pytest.mark.parametrize("command", ["match", "render"])
@pytest.mark.parametrize("name", ["none.json", "."])
def test_a_file_that_cannot_be_read(two: World, command: str, name: str) -> None:
    ran = two.run(command, name)
    assert (ran.code, "cannot be read" in ran.json["error"]["message"]) == (2, True)


def test_a_route_that_is_not_there(two: World) -> None:
    ran = two.run("match", "--route", "urgnt", sample(NAMES[0]))
    assert (ran.code, ran.json["error"]["hint"]) == (2, "there are urgent, quiet")


@pytest.mark.parametrize("form", ["summary", "json", "lambda"])
@pytest.mark.parametrize("name", NAMES)
def test_every_sample_in_every_mode(two: World, name: str, form: str) -> None:
    ran = two.run("render", "--route", "quiet", "--format", form, sample(name))
    assert (ran.code, ran.json["error"]) == (0, None), ran.err
    for mail in ran.json["mails"]:
        assert (mail["route"], mail["format"]) == ("quiet", form)
        assert 0 < len(mail["subject"]) < 100
        assert mail["body"].strip()
    assert ran.json["mails"]


def test_a_mail_as_it_is_delivered(two: World) -> None:
    summary = two.text("render", sample("cspm-control-s3.json"))
    assert 'Subject: AWS Notification Message\n\n"HIGH: S3 general purpose buckets should block' in summary.out
    assert summary.out.startswith("route urgent, summary, rule security-alerts-urgent\n")
    japanese = two.text("render", "--route", "quiet", sample("cspm-japanese.json"))
    assert "Subject: [CRITICAL] " in japanese.out
    assert "アカウント: 111122223333" in japanese.out
    assert "(Asia/Tokyo)" in japanese.out


def test_an_event_that_cannot_be_delivered_hides_no_other(world: World, tmp_path: Path) -> None:
    broken = event("cspm-control-s3.json")
    finding = broken["detail"]["findings"][0]
    finding["Title"] = "a form feed \f"  # which no pattern of this size can name
    odd = tmp_path / "odd.json"
    odd.write_text(json.dumps(broken), encoding="utf-8")
    ran = world.run("render", sample("cspm-control-s3.json"), str(odd), sample("cspm-control-account.json"))
    assert (ran.code, len(ran.json["mails"])) == (1, 2)
    told = f":1: route urgent: {finding['Id']}: EventBridge would not deliver this event"
    assert told in ran.json["error"]["message"]
    assert "use message.format: lambda" in ran.err
    good, lost = world.run("match", sample("cspm-control-s3.json"), str(odd)).json["findings"]
    assert (good["undelivered"], [one["route"] for one in lost["undelivered"]]) == ([], ["urgent"])
    said = "    urgent: its mail ends in the dead-letter queue: EventBridge would not deliver this event"
    assert said in world.text("match", str(odd)).out
    world.write(world.path.read_text() + "dead_letter_queue: false\n")
    assert "    urgent: its mail is lost: EventBridge" in world.text("match", str(odd)).out


def test_match_and_render_name_the_rule_that_takes_a_finding(world: World) -> None:
    names = ["cspm-control-s3.json", "cspm-custom-integration.json", "cspm-guardduty-s3-malware.json"]
    found = world.run("match", *map(sample, names)).json["findings"]
    first, second = "security-alerts-urgent", "security-alerts-urgent-plain"
    assert [[(rule["rule"], rule["mail"]) for rule in one["rules"]] for one in found] == [
        [(first, "clean")],
        [(second, "odd")],
        [(first, "clean"), (second, "odd")],
    ]
    assert f"urgent (rule {second})" in world.text("match", sample(names[1])).out
    ran = world.run("render", *map(sample, names))
    assert (ran.code, [mail["rule"] for mail in ran.json["mails"]]) == (0, [first, second, second])
    assert "as the first rule mails it; the second rule's arrives" in ran.err


def test_what_is_not_mailed_again_is_said(world: World) -> None:
    world.write(world.path.read_text() + "    message: {format: lambda}\n")
    ran = world.run("render", sample("cspm-control-notified.json"))
    assert (ran.code, ran.json["mails"]) == (0, [])
    assert "sends no mail for it: `dedup: notified`" in ran.err


def test_hostile_text_does_not_reach_the_terminal(two: World, tmp_path: Path) -> None:
    hostile = event("cspm-control-s3.json")
    hostile["detail"]["findings"][0]["Id"] = hostile["detail"]["findings"][0]["Title"] = "a\x1b]0;b\x07\u202e"
    (tmp_path / "e.json").write_text(json.dumps(hostile), encoding="utf-8")
    for arguments in (["match"], ["render", "--format", "lambda"], ["render", "--format", "json"]):
        ran: Ran = two.text(*arguments, str(tmp_path / "e.json"))
        assert ran.code == 0, ran.err
        assert not {"\x1b", "\x07", "\u202e"} & set(ran.out + ran.err)


@pytest.mark.parametrize("form", ["summary", "json", "lambda"])
def test_no_character_of_a_title_starts_a_line(two: World, tmp_path: Path, form: str) -> None:
    counts = set()
    for number, text in enumerate(("ab", "a\u2028b", "a\u2029b", "a\x85b")):
        hostile = event("cspm-control-s3.json")
        hostile["detail"]["findings"][0]["Title"] = text
        (tmp_path / f"{number}.json").write_text(json.dumps(hostile), encoding="utf-8")
        ran: Ran = two.text("render", "--route", "urgent", "--format", form, str(tmp_path / f"{number}.json"))
        assert ran.code == 0, ran.err
        counts.add(ran.out.count("\n"))
        assert not {"\u2028", "\u2029", "\x85"} & set(ran.out)
    assert len(counts) == 1


def test_offline_needs_neither_boto3_nor_moto(two: World) -> None:
    code = (
        "import sys; from shnotify import cli; "
        f"cli.run(['match', '-c', {str(two.path)!r}, {sample(NAMES[0])!r}]); "
        "sys.exit(bool({'boto3', 'botocore', 'moto'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize("command", ["validate", "plan"])
def test_a_pattern_beyond_the_default_quota_is_told_with_its_size(world: World, command: str) -> None:
    accounts = ", ".join(f'"{number:012d}"' for number in range(150))
    world.write(world.path.read_text() + f"    findings: {{accounts: [{accounts}]}}\n")
    ran = world.run(command)
    assert ran.code == 0
    assert "characters; EventBridge takes 2,048 unless the account's quota" in ran.err
    world.write(TWO)
    assert "characters; EventBridge" not in world.run(command).err


def test_auto_is_what_is_enabled_and_is_said(world: World) -> None:
    world.write(world.path.read_text() + "    source: auto\n")
    world.client("securityhub").enable_security_hub()
    world.faults.rule = faults.on("securityhub:DescribeSecurityHubV2")(faults.refuse("ResourceNotFoundException"))
    ran = world.run("plan")
    assert "source: auto means cspm here: Security Hub CSPM is enabled; Security Hub is not enabled" in ran.err
    [rule] = [a for a in ran.json["actions"] if a["id"] == "UrgentRule"]
    [pattern] = [c["after"] for c in rule["changes"] if c["path"] == "EventPattern"]
    assert pattern["detail-type"] == ["Security Hub Findings - Imported"]


@pytest.mark.parametrize(
    ("cspm", "hub", "chosen"),
    [
        (None, None, "both"),
        (None, "ResourceNotFoundException", "cspm"),
        ("InvalidAccessException", None, "hub"),
        ("InvalidAccessException", "ResourceNotFoundException", "cspm"),
        ("AccessDeniedException", None, "both"),
        ("InvalidAccessException", "AccessDeniedException", "hub"),
    ],
)
def test_what_cannot_be_asked_about_counts_as_enabled(
    world: World, cspm: str | None, hub: str | None, chosen: str
) -> None:
    answers = {"securityhub:DescribeHub": cspm, "securityhub:DescribeSecurityHubV2": hub}

    def answer(code: str | None) -> Any:
        return faults.refuse(code) if code else lambda _call, _operation: {}

    world.write(world.path.read_text() + "    source: auto\n")
    world.faults.rule = lambda _n, operation: answer(answers[operation]) if operation in answers else None
    assert f"source: auto means {chosen} here" in world.run("plan").err
