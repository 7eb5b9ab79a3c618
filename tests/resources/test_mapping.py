"""The buffer queue and its event source mapping, beyond the contract of every kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from moto import mock_aws

from shnotify.aws.failures import AwsError
from shnotify.engine.resource import Live
from shnotify.engine.values import Tags
from shnotify.notifier.leftovers import Finder
from shnotify.resources.kinds import thing_at
from shnotify.resources.mapping import EventSourceMapping
from shnotify.sandbox.strict import strict
from tests.resources.cases import GRAPH
from tests.support import faults
from tests.support.faults import REGION, Faults, gateway


class Account:
    """An embedded account with the whole notifier."""

    def __init__(self) -> None:
        self.faults = Faults()
        known = GRAPH.known()
        self.lives: dict[str, Live[Any]] = {}
        for resource in GRAPH:
            outputs = resource.resolved(known).create(self.aws())
            known |= {f"{resource.id}.{name}": value for name, value in outputs.items()}
        self.known = known

    def aws(self) -> Any:
        return gateway(self.faults)(allowed=None, region=REGION)

    def client(self, service: str) -> Any:
        return self.faults.client(service)

    def thing(self, resource_id: str) -> Any:
        return GRAPH[resource_id].resolved(self.known)

    def seen(self, resource_id: str) -> Any:
        found = self.thing(resource_id).read(self.aws())
        assert found
        return found

    def send(self, text: str) -> None:
        """Puts a message into the buffer that nothing takes out."""
        name = self.thing("UrgentBuffer").queue_name
        sqs = self.client("sqs")
        sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"], MessageBody=text)


@pytest.fixture
def account() -> Iterator[Account]:
    with mock_aws():
        time = Faults().time
        with strict(clock=time.now):
            yield Account()


def test_the_buffer_hides_a_message_six_times_as_long_as_the_function_runs_and_a_window_more() -> None:
    buffer: Any = GRAPH["UrgentBuffer"]
    function: Any = GRAPH["UrgentFormatter"]
    assert buffer.visibility_timeout == 6 * function.timeout + 60
    assert buffer.redrive_policy["maxReceiveCount"] == 5
    assert buffer.kms_master_key_id == "${DlqKey.Arn}"


def test_the_rule_sends_only_when_something_takes_from_the_buffer() -> None:
    rule: Any = GRAPH["UrgentRule"]
    assert rule.targets["Arn"] == "${UrgentBuffer.Arn}"
    assert {"UrgentBuffer", "UrgentMapping"} <= rule.needs()
    assert {"UrgentBuffer", "UrgentFormatter"} <= GRAPH["UrgentMapping"].needs()


def test_a_mapping_that_the_tag_search_shows_is_read_by_its_uuid(account: Account) -> None:
    live = account.seen("UrgentMapping")
    thing = thing_at(live.outputs["Arn"], Tags.of({"shnotify:name": "mine"}))
    assert isinstance(thing, EventSourceMapping)
    account.faults.calls.clear()
    found = thing.identify(account.aws())
    assert "lambda:GetEventSourceMapping" in account.faults.operations
    assert found
    assert found.owner is None
    assert found.outputs == live.outputs
    assert found.state.event_source_arn == account.thing("UrgentBuffer").queue_arn


def test_a_leftover_mapping_function_and_role_stay_while_the_buffer_holds_findings(account: Account) -> None:
    account.client("lambda").put_function_concurrency(
        FunctionName=account.thing("UrgentFormatter").function_name, ReservedConcurrentExecutions=0
    )
    account.send("{}")
    ids = {"UrgentBuffer", "UrgentMapping", "UrgentFormatter", "UrgentFormatterRole"}
    kept = _leftovers(account, ids)
    assert kept["UrgentBuffer"].startswith("it holds messages (1 waiting)")
    for one in ids - {"UrgentBuffer"}:
        assert "holds findings that are still to be mailed (1 waiting), so it stays" in kept[one], one
    with pytest.raises(AwsError, match="still to be mailed"):
        account.thing("UrgentMapping").delete(account.aws(), account.seen("UrgentMapping"))
    assert account.seen("UrgentMapping")
    _empty(account)
    assert not any(_leftovers(account, ids).values())


def _leftovers(account: Account, ids: set[str]) -> dict[str, str]:
    """What stays, with the reason, when the file names all but these."""
    graph = type(GRAPH)(tuple(one for one in GRAPH if one.id in ("TopicKey", "DlqKey", "Dlq", "UrgentTopic")))
    wanted = {one.id: one.resolved(account.known).read(account.aws()) for one in graph}
    found = Finder(account.aws(), graph, "mine", pointers=True).find(wanted)
    return {thing.id: (live.blocked or "") for thing, live in found if isinstance(live, Live) and thing.id in ids}


def _empty(account: Account) -> None:
    sqs = account.client("sqs")
    url = sqs.get_queue_url(QueueName=account.thing("UrgentBuffer").queue_name)["QueueUrl"]
    for message in sqs.receive_message(QueueUrl=url).get("Messages", []):
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"enabled": False}, "findings wait in the queue"),
        ({"function_name": "arn:aws:lambda:eu-west-1:123456789012:function:x"}, "instead"),
    ],
)
def test_a_mapping_that_does_not_feed_the_function_is_broken(account: Account, change: Any, why: str) -> None:
    live = account.seen("UrgentMapping")
    want = account.thing("UrgentMapping")
    assert [link.verdict for link in want.health(live)] == ["ok"]
    (link,) = want.health(replace(live, state=replace(live.state, **change)))
    assert link.verdict == "broken"
    assert why in link.why


def test_who_else_takes_from_the_buffer_is_told(account: Account) -> None:
    live = account.seen("UrgentMapping")
    other = replace(live, facts={**live.facts, "others": ("arn:aws:lambda:eu-west-1:123456789012:function:x",)})
    (link,) = account.thing("UrgentMapping").health(other)
    assert link.verdict == "broken"


def test_a_role_that_is_not_there_yet_is_waited_for(account: Account) -> None:
    mapping, live = account.thing("UrgentMapping"), account.seen("UrgentMapping")
    mapping.delete(account.aws(), live)
    text = "The provided execution role does not have permissions to call ReceiveMessage on SQS"
    refuse = faults.refuse("InvalidParameterValueException", 400, text)
    account.faults.rule = faults.on("lambda:CreateEventSourceMapping", times=3)(refuse)
    mapping.create(account.aws())
    assert account.seen("UrgentMapping").state.enabled
