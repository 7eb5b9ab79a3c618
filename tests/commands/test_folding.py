"""`message.fold`: buffer queue and mapping, from switching on to switching off, without losing an event."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shnotify.arns import Scope
from shnotify.config.load import completed
from shnotify.config.yamlfile import parse
from shnotify.export.cloudformation import template
from shnotify.notifier.deadletters import read_letter
from shnotify.notifier.senders import senders_of
from shnotify.sandbox.mailbox import mails
from shnotify.sandbox.subscriptions import confirm_subscription
from tests.conftest import SMALLEST, Cases, World
from tests.support.backlog import asff, stored
from tests.support.crashes import FOLDED, HOWS, STORIES, between, sweep
from tests.support.faults import REGION
from tests.support.folding import event, finding_id
from tests.support.lambda_mode import ACCOUNT, FUNCTION, LAMBDA, ROLE
from tests.support.samples import sample

BUFFER = "security-alerts-urgent-buffer"
BUFFER_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{BUFFER}"
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{FUNCTION}"


@pytest.fixture
def folding(world: World) -> World:
    world.write(FOLDED)
    ran = world.apply()
    assert ran.code == 0, ran.err
    return world


def target(world: World) -> str:
    found: str = world.client("events").list_targets_by_rule(Rule="security-alerts-urgent")["Targets"][0]["Arn"]
    return found


def mappings(world: World) -> list[Any]:
    return list(world.client("lambda").list_event_source_mappings(EventSourceArn=BUFFER_ARN)["EventSourceMappings"])


def url(world: World, name: str = BUFFER) -> str:
    found: str = world.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]
    return found


def stuck(world: World) -> None:
    """A finding waits in the buffer: the function is throttled to nothing."""
    world.client("lambda").put_function_concurrency(FunctionName=FUNCTION, ReservedConcurrentExecutions=0)
    world.client("sqs").send_message(QueueUrl=url(world), MessageBody=json.dumps(sample("cspm-control-s3")))


def test_what_is_created(folding: World) -> None:
    assert target(folding) == BUFFER_ARN
    (found,) = mappings(folding)
    assert found["FunctionArn"] == FUNCTION_ARN
    assert (found["State"], found["BatchSize"], found["MaximumBatchingWindowInSeconds"]) == ("Enabled", 500, 60)
    assert found["ScalingConfig"] == {"MaximumConcurrency": 2}
    assert found["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    have = folding.client("sqs").get_queue_attributes(QueueUrl=url(folding), AttributeNames=["All"])["Attributes"]
    assert json.loads(have["RedrivePolicy"]) == {
        "deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:security-alerts-dlq",
        "maxReceiveCount": 5,
    }
    (sending,) = json.loads(have["Policy"])["Statement"]
    assert sending["Condition"] == {
        "ArnEquals": {"aws:SourceArn": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/security-alerts-urgent"}
    }
    document = folding.client("iam").get_role_policy(RoleName=ROLE, PolicyName="shnotify")["PolicyDocument"]
    buffer = [one for one in document["Statement"] if one["Sid"] == "Buffer"]
    assert buffer[0]["Action"] == ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    assert buffer[0]["Resource"] == BUFFER_ARN


def test_a_second_apply_writes_nothing_and_status_shows_no_drift(folding: World) -> None:
    again = folding.apply()
    assert (again.code, again.actions(), folding.faults.writes) == (0, {}, [])
    status = folding.run("status")
    assert status.states() == {}


def test_switched_on_the_rule_turns_when_the_mapping_is_there(world: World) -> None:
    world.write(LAMBDA)
    assert world.apply().code == 0
    world.faults.calls.clear()
    world.write(FOLDED)
    ran = world.apply()
    assert ran.code == 0, ran.err
    order = world.faults.writes
    turn = order.index("events:PutTargets")
    for earlier in ("iam:PutRolePolicy", "lambda:UpdateFunctionCode", "lambda:CreateEventSourceMapping"):
        assert order.index(earlier) < turn
    assert target(world) == BUFFER_ARN


def test_switched_off_the_rule_turns_first_and_buffer_and_mapping_go(folding: World) -> None:
    folding.faults.calls.clear()
    folding.write(LAMBDA)
    ran = folding.apply()
    assert ran.code == 0, ran.err
    order = folding.faults.writes
    assert order.index("events:PutTargets") < order.index("lambda:DeleteEventSourceMapping")
    assert order.index("lambda:DeleteEventSourceMapping") < order.index("sqs:DeleteQueue")
    assert target(folding) == FUNCTION_ARN
    assert mappings(folding) == []
    again = folding.apply()
    assert (again.code, again.actions()) == (0, {})


def test_switched_off_with_findings_in_the_buffer_the_mapping_stays_until_it_is_empty(folding: World) -> None:
    folding.write(FOLDED.replace("fold:", "dedup: none, fold:"))
    assert folding.apply().code == 0
    stuck(folding)
    folding.write(LAMBDA.replace("lambda", "lambda, dedup: none"))
    ran = folding.apply()
    assert target(folding) == FUNCTION_ARN, ran.err
    (kept,) = mappings(folding)
    assert kept["State"] == "Enabled"
    document = folding.client("iam").get_role_policy(RoleName=ROLE, PolicyName="shnotify")["PolicyDocument"]
    assert "Buffer" in {one["Sid"] for one in document["Statement"]}
    confirm_subscription("secops@example.com")
    folding.client("lambda").delete_function_concurrency(FunctionName=FUNCTION)
    folding.client("lambda").update_event_source_mapping(UUID=kept["UUID"], Enabled=True)  # the sandbox polls now
    assert folding.apply().code == 0
    assert mappings(folding) == []


def test_a_route_that_goes_to_summary_leaves_the_function_until_the_buffer_is_empty(folding: World) -> None:
    stuck(folding)
    folding.write(SMALLEST)
    folding.apply()
    assert len(mappings(folding)) == 1
    assert folding.client("lambda").get_function(FunctionName=FUNCTION)["Configuration"]["Role"].endswith(ROLE)
    assert folding.client("iam").get_role(RoleName=ROLE)


def test_destroy_refuses_while_the_buffer_holds_findings(folding: World) -> None:
    stuck(folding)
    ran = folding.run("destroy", "--yes")
    assert ran.code != 0
    assert "it holds messages" in ran.err
    assert target(folding) == BUFFER_ARN
    ran = folding.run("destroy", "--yes", "--force")
    assert ran.code == 0, ran.err
    assert mappings(folding) == []


def test_destroy_removes_all_of_it(folding: World) -> None:
    ran = folding.run("destroy", "--yes")
    assert ran.code == 0, ran.err
    assert mappings(folding) == []
    assert BUFFER not in str(folding.client("sqs").list_queues().get("QueueUrls"))


def test_what_somebody_switched_off_is_drift_and_mended(folding: World) -> None:
    (found,) = mappings(folding)
    folding.client("lambda").update_event_source_mapping(UUID=found["UUID"], Enabled=False)
    assert folding.run("status").drift() == {"UrgentMapping": ["Enabled"]}
    assert folding.apply().actions() == {"UrgentMapping": "update"}
    folding.client("lambda").delete_event_source_mapping(UUID=found["UUID"])
    assert folding.apply().actions() == {"UrgentMapping": "create"}


def test_folding_needs_the_function_and_the_dead_letter_queue(world: World) -> None:
    world.write(SMALLEST + "    message: {fold: {}}\n")
    assert "goes with `format: lambda` only" in world.run("validate").err
    world.write(FOLDED + "dead_letter_queue: false\n")
    assert "needs the dead_letter_queue" in world.run("validate").err


def broken(world: World, command: str) -> list[tuple[str, str]]:
    """What a command says is broken: (resource, why)."""
    document = world.run(command).json
    found: list[tuple[str, str]] = []

    def look(node: Any) -> None:
        for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            look(child)
        if isinstance(node, dict) and node.get("verdict") == "broken" and node.get("resource"):
            found.append((node["resource"], str(node.get("why"))))

    look(document)
    return found


def _no_policy(world: World) -> None:
    world.client("sqs").set_queue_attributes(QueueUrl=url(world), Attributes={"Policy": ""})


def _no_role_statement(world: World) -> None:
    iam = world.client("iam")
    document = iam.get_role_policy(RoleName=ROLE, PolicyName="shnotify")["PolicyDocument"]
    rest = [one for one in document["Statement"] if one["Sid"] != "Buffer"]
    iam.put_role_policy(
        RoleName=ROLE, PolicyName="shnotify", PolicyDocument=json.dumps({**document, "Statement": rest})
    )


def _no_buffer(world: World) -> None:
    world.client("sqs").delete_queue(QueueUrl=url(world))


def _disabled(world: World) -> None:
    (found,) = mappings(world)
    world.client("lambda").update_event_source_mapping(UUID=found["UUID"], Enabled=False)


def _no_mapping(world: World) -> None:
    (found,) = mappings(world)
    world.client("lambda").delete_event_source_mapping(UUID=found["UUID"])


def _too_small(world: World) -> None:
    world.client("sqs").set_queue_attributes(QueueUrl=url(world), Attributes={"MaximumMessageSize": "1024"})


@pytest.mark.parametrize(
    ("hand", "resource", "why"),
    [
        (_no_policy, "UrgentBuffer", "sqs:SendMessage"),
        (_no_role_statement, "UrgentFormatterRole", "sqs:ReceiveMessage"),
        (_no_buffer, "UrgentBuffer", "is missing"),
        (_disabled, "UrgentMapping", "are not mailed"),
        (_no_mapping, "UrgentMapping", "is missing"),
        (_too_small, "UrgentBuffer", "no finding fits"),
    ],
)
def test_a_broken_way_through_the_buffer_is_told_and_mended(folding: World, hand: Any, resource: str, why: str) -> None:
    hand(folding)
    assert why in folding.run("status").out
    found = broken(folding, "doctor")
    assert any(one == resource and why in text for one, text in found), found
    if hand is _no_buffer:
        folding.faults.time.sleep(100)
    assert folding.apply().code == 0
    assert not [one for one in broken(folding, "doctor") if one[0] == resource]


def test_a_filter_on_what_takes_from_the_buffer_is_no_way_to_call_fine(folding: World) -> None:
    """Of what the filter does not let through, Lambda deletes the message (invocation-eventfiltering)."""
    (found,) = mappings(folding)
    filters = {"Filters": [{"Pattern": '{"body": {"source": ["x"]}}'}]}
    folding.client("lambda").update_event_source_mapping(UUID=found["UUID"], FilterCriteria=filters)
    confirm_subscription("secops@example.com")
    ran = folding.run("status")
    assert (ran.code, ran.json["delivery"][0]["verdict"]) == (4, "unknown")
    links = folding.run("doctor").json["links"]
    (link,) = [one for one in links if one["id"] == "formatter" and one["verdict"] != "ok"]
    assert (link["verdict"], "throws away what it" in link["why"]) == ("unknown", True)
    assert link["mend"] == f"aws lambda update-event-source-mapping --uuid {found['UUID']} --filter-criteria '{{}}'"


@pytest.mark.parametrize(
    "asked", ["--rule security-alerts-urgent", f"--topic arn:aws:sns:{REGION}:{ACCOUNT}:security-alerts-urgent"]
)
def test_without_a_file_nobody_says_that_the_way_through_the_buffer_is_broken(folding: World, asked: str) -> None:
    confirm_subscription("secops@example.com")
    found = json.dumps(folding.run("doctor", *asked.split()).json)
    assert '"broken"' not in found.replace('"broken": 0', "").replace('"broken": []', "").replace('"broken": {}', ""), (
        found
    )
    assert "cannot be told" in found


def test_render_shows_the_mail_that_many_findings_share(world: World, tmp_path: Path) -> None:
    world.write(FOLDED)
    lines = tmp_path / "findings.jsonl"
    lines.write_text("\n".join(json.dumps(event(n, Workflow={"Status": "NEW"})) for n in range(8)), encoding="utf-8")
    mails = world.run("render", str(lines)).json["mails"]
    assert [mail["input"]["index"] for mail in mails] == [1, 2, 3, 4, 5, 6]
    assert mails[-1]["subject"] == "[HIGH] 3 findings: 3 HIGH"
    assert all(finding_id(n) in mails[-1]["body"] for n in (5, 6, 7))
    assert {(mail["route"], mail["format"]) for mail in mails} == {("urgent", "lambda")}


def test_a_finding_of_the_sandbox_comes_through_the_buffer_into_the_mailbox(folding: World) -> None:
    confirm_subscription("secops@example.com")
    folding.client("securityhub").enable_security_hub()
    folding.faults.calls.clear()
    ran = folding.run("test", "--route", "urgent", "--yes")
    assert ran.code == 0, ran.out + ran.err


def test_what_the_buffer_gives_up_is_known_in_the_dead_letter_queue() -> None:
    scope = Scope("aws", REGION, ACCOUNT)
    senders = senders_of(completed(parse(f"account: '{ACCOUNT}'\n" + FOLDED)), scope)
    message = {
        "MessageId": "m",
        "Body": json.dumps(sample("cspm-control-s3")),
        "Attributes": {"DeadLetterQueueSourceArn": BUFFER_ARN, "SentTimestamp": "1700000000000"},
    }
    letter = read_letter(message, senders)
    assert (letter.kind, letter.route, letter.ours, letter.error_code) == (
        "formatter",
        "urgent",
        True,
        "MaxReceiveCount",
    )
    assert letter.event == sample("cspm-control-s3")
    assert letter.sendable


def test_a_stack_makes_the_rule_after_the_mapping(world: World) -> None:
    made = template(completed(parse(FOLDED)))["Resources"]
    assert "UrgentMapping" in made["UrgentRule"]["DependsOn"]
    mapping = made["UrgentMapping"]["Properties"]
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": ["UrgentBuffer", "Arn"]}
    assert mapping["FunctionName"] == {"Fn::GetAtt": ["UrgentFormatter", "Arn"]}
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 2}
    redrive = made["UrgentBuffer"]["Properties"]["RedrivePolicy"]
    assert redrive == {"deadLetterTargetArn": {"Fn::GetAtt": ["Dlq", "Arn"]}, "maxReceiveCount": 5}


FOLD_STORIES: dict[str, tuple[Callable[[World], None], tuple[str, ...]]] = {
    "folding: fresh apply": (between("", FOLDED), ("apply", "--yes")),
    "folding: switched on": (between(LAMBDA, FOLDED), ("apply", "--yes")),
    "folding: switched off": (between(FOLDED, LAMBDA), ("apply", "--yes")),
    "folding: destroy": (between(FOLDED, FOLDED), ("destroy", "--yes")),
}


@pytest.fixture(autouse=True)
def _stories(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, story in FOLD_STORIES.items():
        monkeypatch.setitem(STORIES, name, story)


@pytest.mark.parametrize(
    ("story", "how", "step"),
    [
        ("folding: fresh apply", "after", 37),
        ("folding: switched on", "before", 31),
        ("folding: switched off", "reply lost", 31),
        ("folding: destroy", "after", 31),
    ],
)
def test_a_sample_of_crashes(world: World, story: str, how: str, step: int, cases: Cases) -> None:
    cases(sweep(world, story, how, step=step))


@pytest.mark.full
@pytest.mark.timeout(900)
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("story", FOLD_STORIES)
def test_a_crash_at_every_call(world: World, story: str, how: str, cases: Cases) -> None:
    cases(sweep(world, story, how, step=1))


def test_one_import_is_one_window_in_the_sandbox(folding: World) -> None:
    """Every finding of a flood is named in some mail, and a message that nobody can read keeps none back."""
    confirm_subscription("secops@example.com")
    folding.client("sqs").send_message(QueueUrl=url(folding), MessageBody="no event")
    found = [asff(number) for number in range(60)]
    assert folding.client("securityhub").batch_import_findings(Findings=found)["FailedCount"] == 0
    sent = [one for one in mails() if one.kind == "notification"]
    assert len(sent) == 6  # five alone, the others in one
    named = {one for mail in sent for one in re.findall(r"title (\d+)", f"{mail.subject} {mail.body}")}
    assert named == {str(number) for number in range(60)}
    assert {one["Workflow"]["Status"] for one in stored().values()} == {"NOTIFIED"}
    queue = folding.client("sqs").get_queue_attributes(QueueUrl=url(folding), AttributeNames=["All"])["Attributes"]
    assert queue["ApproximateNumberOfMessagesNotVisible"] == "1"
