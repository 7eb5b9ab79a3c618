"""`shnotify dlq`: each subcommand in text and JSON; what stays, what goes, and what is never touched."""

from __future__ import annotations

import io
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from shnotify import cli
from shnotify.notifier.needs import DLQ_OPERATIONS
from shnotify.resources.kinds import READS
from shnotify.sandbox.subscriptions import confirm_subscription
from tests.conftest import SMALLEST, World
from tests.support import faults
from tests.support.deadletters import (
    BUS_RECORD,
    QUEUE_NAME,
    RAW_MAIL,
    RULE_ARN,
    STRANGER,
    TOPIC_ARN,
    from_formatter,
    from_rule,
    from_topic,
    put,
    queue_url,
    visible,
)

TWO = SMALLEST + "  - name: other\n    subscribers: [others@example.com]\n"


@pytest.fixture
def ready(world: World) -> World:
    """Two routes, whose subscribers have confirmed."""
    world.write(TWO)
    assert world.apply().code == 0
    confirm_subscription("secops@example.com")
    confirm_subscription("others@example.com")
    return world


def published(world: World) -> list[dict[str, Any]]:
    return [params for operation, params in world.faults.calls if operation == "sns:Publish"]


# -- list and show -----------------------------------------------------------------------------------------------------


def test_list_tells_every_message_by_cause_and_leaves_it_there(ready: World) -> None:
    ids = put(ready, from_rule(1), from_rule(2), from_formatter(3), from_topic(), RAW_MAIL, BUS_RECORD, STRANGER)
    ran = ready.run("dlq", "list")
    assert ran.code == 0, ran.err
    found = ran.json
    assert {found[key] for key in ("name", "account", "region", "queue")} == {
        "security-alerts",
        "123456789012",
        faults.REGION,
        QUEUE_NAME,
    }
    assert sorted(one["id"] for one in found["messages"]) == sorted(ids)
    assert (found["unread"], found["error"]) == (0, None)
    assert found["groups"][0]["error_code"] == "NO_PERMISSIONS"
    assert sum(group["count"] for group in found["groups"]) == 7
    first = next(one for one in found["messages"] if one["id"] == ids[0])
    assert (first["route"], first["rule"], first["finding"], first["severity"]) == (
        "urgent",
        RULE_ARN,
        "finding-1",
        "HIGH",
    )
    assert visible(ready) == sorted(ids)


def test_list_in_text_names_the_cure(ready: World) -> None:
    put(ready, from_rule(1))
    ran = ready.text("dlq", "list")
    assert "1 x NO_PERMISSIONS: the target or its key does not let EventBridge in" in ran.out
    assert "    cure: shnotify doctor names what is wrong" in ran.out
    assert "S3.1 Buckets should be private" in ran.out


def test_list_of_an_empty_queue(ready: World) -> None:
    assert (ready.run("dlq", "list").json["messages"], ready.text("dlq", "list").code) == ([], 0)


def test_what_another_reader_has_is_unread_and_said(ready: World) -> None:
    put(ready, from_rule(1), from_rule(2))
    ready.client("sqs").receive_message(QueueUrl=queue_url(ready), VisibilityTimeout=600)
    assert ready.run("dlq", "list").json["unread"] == 1
    assert "1 more could not be read" in ready.text("dlq", "list").err


def test_show_has_the_whole_message_by_the_beginning_of_its_id_too(ready: World) -> None:
    first, _ = put(ready, from_rule(1), STRANGER)
    found = ready.run("dlq", "show", first).json["message"]
    assert (found["id"], json.loads(found["body"])["id"], found["attributes"]["RULE_ARN"]) == (
        first,
        "event-1",
        RULE_ARN,
    )
    assert "  TARGET_ARN = arn:aws:sns" in ready.text("dlq", "show", first[:8]).out
    gone = ready.run("dlq", "show", "nothing-like-it")
    assert (gone.code, "no message nothing-like-it among 2" in gone.json["error"]["message"]) == (1, True)
    assert len(visible(ready)) == 2


HOSTILE = "\x1b]0;owned\x07\u202e\r\nfake: line\u2028\x9b31m"


def test_nothing_in_a_message_reaches_the_terminal_raw(ready: World) -> None:
    body, told = from_rule(1)
    event = json.loads(body)
    event["detail"]["findings"][0] |= {"Title": HOSTILE, "Id": HOSTILE, "Severity": {"Label": HOSTILE}}
    bad = "\u202e\u2028owned"  # SQS takes no control characters in attributes
    ids = put(ready, (json.dumps(event), told | {"ERROR_MESSAGE": bad}), (f"{bad}\n{bad}", {}))
    for arguments in (("list",), ("show", ids[0]), ("show", ids[1]), ("redrive", "--dry-run"), ("purge", "--force")):
        ran = ready.text("dlq", *arguments)
        assert not {"\x1b", "\u202e", "\r", "\u2028", "\x9b", "\x07"} & set(ran.out + ran.err), arguments
        assert "\nfake: line" not in ran.out


# -- redrive -----------------------------------------------------------------------------------------------------------


def test_redrive_shows_sends_and_takes_out_what_was_accepted(ready: World) -> None:
    ids = put(ready, from_rule(1), from_formatter(2), from_topic("as it was"), STRANGER)
    ran = ready.run("dlq", "redrive", "--yes")
    assert ran.code == 0, ran.err
    assert {one["id"] for one in ran.json["sent"]} == set(ids[:3])
    assert ran.json["kept"] == [{"id": ids[3], "why": "it is not ours, and holds no event"}]
    assert {asked["TopicArn"] for asked in published(ready)} == {TOPIC_ARN}
    bodies = sorted(asked["Message"] for asked in published(ready))
    assert bodies[0].startswith('"HIGH: S3.1 Buckets should be private"\n"Account: 111122223333')
    assert bodies[2] == "as it was"
    assert visible(ready) == [ids[3]]
    assert set(ready.faults.operations) <= DLQ_OPERATIONS["redrive"] | READS


def test_redrive_says_to_whom_and_how_many(ready: World) -> None:
    put(ready, from_rule(1), from_rule(2))
    ran = ready.text("dlq", "redrive", "--dry-run")
    assert "2 messages to route urgent, topic security-alerts-urgent (summary)" in ran.out
    assert "2 mails to each of 1 subscriber, 2 in all" in ran.out
    assert "email secops@example.com" in ran.out
    assert (published(ready), len(visible(ready))) == ([], 2)
    assert [one["mails"] for one in ready.run("dlq", "redrive", "--dry-run").json["planned"]] == [1, 1]


def test_redrive_asks_and_where_nobody_can_be_asked_does_nothing(ready: World) -> None:
    put(ready, from_rule(1))
    ran = ready.text("dlq", "redrive")
    assert (ran.code, published(ready), len(visible(ready))) == (2, [], 1)
    assert "--yes" in ran.err


def test_redrive_to_another_route_and_by_id(ready: World) -> None:
    ids = put(ready, from_rule(1), from_rule(2), from_rule(3, rule=RULE_ARN.replace("urgent", "gone")))
    ran = ready.run("dlq", "redrive", "--yes", "--id", ids[1], "--to-route", "other")
    assert [one["route"] for one in ran.json["sent"]] == ["other"]
    assert {asked["TopicArn"] for asked in published(ready)} == {TOPIC_ARN.replace("urgent", "other")}
    assert visible(ready) == sorted([ids[0], ids[2]])
    rest = ready.run("dlq", "redrive", "--yes", "--to-route", "other")
    assert (rest.code, len(rest.json["sent"]), visible(ready)) == (0, 2, [])


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--to-route", "nope"), 2, "there is no route 'nope'"),
        (("--id", "00000000"), 1, "no message could be read with the id 00000000"),
    ],
)
def test_redrive_of_what_is_not_there(ready: World, arguments: tuple[str, ...], code: int, said: str) -> None:
    put(ready, from_rule(1))
    ran = ready.run("dlq", "redrive", "--yes", *arguments)
    assert (ran.code, len(visible(ready)), published(ready)) == (code, 1, [])
    assert said in ran.json["error"]["message"]


def test_redrive_sends_nothing_where_nobody_would_get_it(world: World) -> None:
    world.apply()
    put(world, from_rule(1))
    ran = world.run("dlq", "redrive", "--yes")
    assert (ran.code, published(world), len(visible(world)), ran.json["sent"]) == (1, [], 1, [])
    assert ran.json["error"]["message"].startswith("1 message not sent: nobody would get it")
    assert "no confirmed subscriber" in ran.json["kept"][0]["why"]


def test_redrive_of_nothing_and_of_what_is_not_ours_is_no_failure(ready: World) -> None:
    assert ready.run("dlq", "redrive", "--yes").code == 0
    put(ready, STRANGER)
    ran = ready.run("dlq", "redrive", "--yes")
    assert (ran.code, len(ran.json["kept"]), ran.json["error"]) == (0, 1, None)


def test_redrive_goes_through_the_formatter_of_today(ready: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ready.write(TWO.replace("    subscribers: [secops", "    message: {format: lambda}\n    subscribers: [secops"))
    assert ready.apply().code == 0
    put(ready, from_rule(1), from_formatter(2))
    seen: list[dict[str, Any]] = []
    answers = iter([{"Payload": io.BytesIO(b'{"sent": 1}')}, {"FunctionError": "Unhandled", "Payload": io.BytesIO()}])
    real = ready.faults._real

    def invoked(operation: str, method: Any, params: dict[str, Any]) -> Any:
        if operation != "lambda:Invoke":
            return real(operation, method, params)
        seen.append(params)
        return next(answers)

    monkeypatch.setattr(ready.faults, "_real", invoked)
    ran = ready.run("dlq", "redrive", "--yes")
    assert {one["FunctionName"] for one in seen} == {"security-alerts-urgent-formatter"}
    assert {json.loads(one["Payload"])["source"] for one in seen} == {"aws.securityhub"}
    assert (ran.code, len(ran.json["sent"]), len(ran.json["kept"])) == (1, 1, 1)
    assert "the formatter security-alerts-urgent-formatter failed" in ran.json["error"]["message"]
    assert len(visible(ready)) == 1


def test_redrive_that_is_refused_tells_what_stays(ready: World) -> None:
    put(ready, from_rule(1))
    ready.faults.rule = faults.on("sns:Publish")(faults.refuse("KMSDisabled"))
    ran = ready.run("dlq", "redrive", "--yes")
    assert (ran.code, ran.json["sent"], len(visible(ready))) == (1, [], 1)
    assert "KMSDisabled" in ran.json["kept"][0]["why"]


def test_an_interrupt_gives_all_back_and_tells_what_was_done(ready: World) -> None:
    ids = put(ready, *(from_rule(number) for number in range(5)))
    ready.faults.rule = faults.on("sqs:DeleteMessage", 1)(faults.fail_with(KeyboardInterrupt()))
    ran = ready.run("dlq", "redrive", "--yes")
    assert (ran.code, ran.json["error"]["message"]) == (130, "interrupted")
    assert (len(ran.json["sent"]), len(ran.json["kept"])) == (1, 4)
    assert visible(ready) == sorted(ids)  # the one that was sent stays too: it was not taken out
    again = ready.run("dlq", "redrive", "--yes")
    assert (again.code, len(again.json["sent"]), visible(ready)) == (0, 5, [])


# -- export and purge --------------------------------------------------------------------------------------------------


def test_export_has_every_message_whole_and_only_its_owner_reads_it(ready: World, tmp_path: Path) -> None:
    ids = put(ready, from_rule(1), STRANGER)
    file = tmp_path / "letters.jsonl"
    ran = ready.run("dlq", "export", str(file))
    assert (ran.code, ran.json["exported"], ran.json["file"]) == (0, 2, str(file))
    lines = {one["id"]: one for one in map(json.loads, file.read_text(encoding="utf-8").splitlines())}
    assert set(lines) == set(ids)
    assert lines[ids[1]]["body"] == "hello"
    assert lines[ids[0]]["attributes"]["RULE_ARN"]["StringValue"] == RULE_ARN
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert visible(ready) == sorted(ids)
    assert list(tmp_path.glob("*.part")) == list(tmp_path.glob(".*.part")) == []


def test_export_overwrites_nothing_unasked(ready: World, tmp_path: Path) -> None:
    file = tmp_path / "mine"
    file.write_text("mine")
    assert ready.run("dlq", "export", str(file)).code == 2
    assert file.read_text() == "mine"
    assert ready.text("dlq", "export", str(file), "--force").code == 0
    assert file.read_text() == ""


def test_an_export_that_is_refused_leaves_no_file(ready: World, tmp_path: Path) -> None:
    ready.faults.rule = faults.on("sqs:ReceiveMessage", 1)(faults.refuse("AccessDenied"))
    assert ready.run("dlq", "export", str(tmp_path / "new")).code == 1
    assert [path.name for path in tmp_path.iterdir() if "new" in path.name] == []


def test_purge_drops_what_was_exported_and_nothing_else(ready: World, tmp_path: Path) -> None:
    ids = put(ready, from_rule(1), STRANGER)
    file = tmp_path / "letters.jsonl"
    assert ready.text("dlq", "export", str(file)).code == 0
    (later,) = put(ready, from_rule(2))
    ran = ready.run("dlq", "purge", "--exported", str(file), "--yes")
    assert ran.code == 0, ran.err
    assert {one["id"] for one in ran.json["dropped"]} == set(ids)
    assert ran.json["kept"] == [{"id": later, "why": "it is not in the export"}]
    assert visible(ready) == [later]
    assert "sqs:PurgeQueue" not in ready.faults.operations


def test_purge_by_force_names_what_it_drops(ready: World) -> None:
    ids = put(ready, *(from_rule(number) for number in range(12)))
    ran = ready.text("dlq", "purge", "--force", "--yes")
    assert ran.code == 0, ran.err
    assert all(one in ran.out for one in ids)
    assert (ran.out.splitlines()[-1], visible(ready)) == ("Dropped 12 of 12.", [])


def test_purge_of_one(ready: World) -> None:
    ids = put(ready, from_rule(1), from_rule(2))
    assert ready.run("dlq", "purge", "--force", "--yes", "--id", ids[0]).code == 0
    assert visible(ready) == [ids[1]]
    missing = ready.run("dlq", "purge", "--force", "--yes", "--id", "00000000")
    assert (missing.code, visible(ready)) == (1, [ids[1]])


@pytest.mark.parametrize("arguments", [(), ("--yes",), ("--force",)])
def test_purge_without_an_export_or_without_a_yes_drops_nothing(ready: World, arguments: tuple[str, ...]) -> None:
    put(ready, from_rule(1))
    ran = ready.run("dlq", "purge", *arguments)
    assert (ran.code, len(visible(ready))) == (2, 1)


@pytest.mark.parametrize("text", ["no json", '{"id": "x"}', "[]", "\x00\xff"])
def test_purge_takes_only_a_file_of_export(ready: World, tmp_path: Path, text: str) -> None:
    file = tmp_path / "other"
    file.write_text(text, encoding="latin-1")
    put(ready, from_rule(1))
    ran = ready.run("dlq", "purge", "--exported", str(file), "--yes")
    assert (ran.code, len(visible(ready))) == (2, 1)


# -- what is not ours, and what is not there ---------------------------------------------------------------------------


def test_from_a_queue_of_somebody_else_nothing_is_taken(ready: World) -> None:
    put(ready, from_rule(1))
    ready.client("sqs").untag_queue(QueueUrl=queue_url(ready), TagKeys=["shnotify:name"])
    for arguments in (("redrive", "--yes"), ("purge", "--force", "--yes")):
        ran = ready.run("dlq", *arguments)
        assert (ran.code, "does not carry our tag" in ran.json["error"]["message"]) == (1, True)
    assert (ready.run("dlq", "list").code, len(visible(ready))) == (0, 1)


def test_a_queue_that_moves_what_is_read_is_not_read(ready: World) -> None:
    other = ready.client("sqs").create_queue(QueueName="theirs")["QueueUrl"]
    attributes = ready.client("sqs").get_queue_attributes(QueueUrl=other, AttributeNames=["QueueArn"])
    policy = {"deadLetterTargetArn": attributes["Attributes"]["QueueArn"], "maxReceiveCount": 1}
    put(ready, from_rule(1))
    ready.client("sqs").set_queue_attributes(
        QueueUrl=queue_url(ready), Attributes={"RedrivePolicy": json.dumps(policy)}
    )
    ran = ready.run("dlq", "list")
    assert (ran.code, ran.json["error"]["code"]) == (1, "RedrivePolicy")
    assert "sqs:ReceiveMessage" not in ready.faults.operations


@pytest.mark.parametrize("arguments", [("list",), ("show", "x"), ("redrive",), ("purge", "--force")])
def test_without_a_queue_there_is_nothing_to_look_at(world: World, arguments: tuple[str, ...]) -> None:
    world.write(f"{SMALLEST}dead_letter_queue: false\n")
    ran = world.run("dlq", *arguments)
    assert (ran.code, "has no dead-letter queue" in ran.json["error"]["message"]) == (2, True)


def test_before_apply_the_queue_is_not_there(world: World) -> None:
    ran = world.run("dlq", "list")
    assert (ran.code, "there is no queue" in ran.json["error"]["message"]) == (1, True)


def test_looking_sends_nothing_but_reads_and_gives_back(ready: World, tmp_path: Path) -> None:
    ids = put(ready, from_rule(1))
    for arguments in (("list",), ("show", ids[0]), ("export", str(tmp_path / "x"))):
        assert ready.run("dlq", *arguments).code == 0
        assert set(ready.faults.operations) <= DLQ_OPERATIONS["list"] | {"sts:GetCallerIdentity"}


def test_the_help_says_why_sqs_own_move_task_does_not_work() -> None:
    assert "StartMessageMoveTask" in CliRunner().invoke(cli.cli, ["dlq", "--help"]).output
