"""EventBridge and the tagging API: every row of the strict layer, asked through boto3 as a tool asks it."""

from __future__ import annotations

import json
from typing import Any

from tests.sandbox.strict.cloud import REGION, Cloud, refused


def _targets(*ids: str, **more: Any) -> dict[str, Any]:
    return {"Targets": [{"Id": id_, "Arn": f"arn:aws:sns:{REGION}:123456789012:t", **more} for id_ in ids]}


def test_five_targets(cloud: Cloud) -> None:
    cloud.rule()
    assert refused(cloud.events.put_targets, Rule="r", **_targets(*"123456"))[0] == "LimitExceededException"
    cloud.events.put_targets(Rule="r", **_targets(*"12345"))
    cloud.events.put_targets(Rule="r", **_targets(*"45"))
    assert refused(cloud.events.put_targets, Rule="r", **_targets("6"))[0] == "LimitExceededException"
    assert len(cloud.events.list_targets_by_rule(Rule="r")["Targets"]) == 5
    assert refused(cloud.events.put_targets, Rule="none", **_targets("1"))[0] == "ResourceNotFoundException"
    assert refused(cloud.events.delete_rule, Name="r")[0] == "ValidationException"


def test_transformer_names_are_known(cloud: Cloud) -> None:
    cloud.rule()
    good = {"InputPathsMap": {"a": "$.id"}, "InputTemplate": '"<a> <aws.events.rule-name>"'}
    cloud.events.put_targets(Rule="r", **_targets("1", InputTransformer=good))
    bad = good | {"InputTemplate": '"<a> <b>"'}
    code, text = refused(cloud.events.put_targets, Rule="r", **_targets("1", InputTransformer=bad))
    assert (code, text) == ("ValidationException", "InputTemplate for target 1 contains invalid placeholder b.")


def test_one_kind_of_input(cloud: Cloud) -> None:
    cloud.rule()
    both = {"Input": "{}", "InputPath": "$.detail"}
    assert refused(cloud.events.put_targets, Rule="r", **_targets("1", **both))[0] == "ValidationException"


def test_pattern_is_not_too_long(cloud: Cloud) -> None:
    for size in (4097, 10_000):
        text = json.dumps({"source": ["x" * (size - 16)]})
        assert len(text) == size
        assert refused(cloud.events.put_rule, Name="r", EventPattern=text)[0] == "ValidationException"


def test_tags_at_creation_only(cloud: Cloud) -> None:
    arn = cloud.rule(Tags=[{"Key": "a", "Value": "b"}])
    cloud.rule(Tags=[{"Key": "a", "Value": "c"}, {"Key": "d", "Value": "e"}])
    assert cloud.events.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "a", "Value": "b"}]


def test_nobody_speaks_for_aws(cloud: Cloud) -> None:
    entries: list[Any] = [
        {"Source": source, "DetailType": "d", "Detail": detail}
        for source, detail in (("x", "{}"), ("aws.securityhub", "{}"), ("x", "{"))
    ]
    reply = cloud.events.put_events(Entries=entries)
    assert reply["FailedEntryCount"] == 2
    codes = [entry.get("ErrorCode") for entry in reply["Entries"]]
    assert codes == [None, "NotAuthorizedForSourceException", "MalformedDetail"]
    only = cloud.events.put_events(Entries=entries[1:2])
    assert (only["FailedEntryCount"], len(only["Entries"])) == (1, 1)


def test_delivery_is_no_part_of_the_call(cloud: Cloud) -> None:
    cloud.rule()
    cloud.events.put_targets(Rule="r", **_targets("1"))
    entry: Any = {"Source": "x", "DetailType": "d", "Detail": "{}"}
    assert cloud.events.put_events(Entries=[entry])["FailedEntryCount"] == 0


def _tagged(cloud: Cloud, **more: Any) -> list[str]:
    pages = cloud.tagging.get_paginator("get_resources").paginate(TagFilters=[{"Key": "a", "Values": ["b"]}], **more)
    return [found["ResourceARN"] for page in pages for found in page["ResourceTagMappingList"]]


def test_rules_are_found_by_tag(cloud: Cloud) -> None:
    tags: Any = [{"Key": "a", "Value": "b"}]
    key = cloud.kms.create_key(Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]["Arn"]
    topic = cloud.sns.create_topic(Name="t", Tags=tags)["TopicArn"]
    queue = cloud.attributes(cloud.sqs.create_queue(QueueName="q", tags={"a": "b"})["QueueUrl"])["QueueArn"]
    rule = cloud.rule(Tags=tags)
    cloud.events.put_rule(Name="other", EventPattern='{"source": ["x"]}', Tags=[{"Key": "a", "Value": "c"}])
    cloud.key()
    assert sorted(_tagged(cloud)) == sorted([key, topic, queue, rule])
    for kind, arn in (("kms:key", key), ("sns", topic), ("sqs:queue", queue), ("events:rule", rule)):
        assert _tagged(cloud, ResourceTypeFilters=[kind]) == [arn]
    cloud.events.untag_resource(ResourceARN=rule, TagKeys=["a"])
    assert _tagged(cloud, ResourceTypeFilters=["events"]) == []


def test_pages_are_of_one_moment(cloud: Cloud) -> None:
    made = [cloud.sns.create_topic(Name=f"t{n}", Tags=[{"Key": "a", "Value": "b"}])["TopicArn"] for n in range(23)]
    assert sorted(_tagged(cloud, PaginationConfig={"PageSize": 5})) == sorted(made)
    first = cloud.tagging.get_resources(ResourcesPerPage=5)
    cloud.sns.create_topic(Name="new")
    second = cloud.tagging.get_resources(ResourcesPerPage=5, PaginationToken=first["PaginationToken"])
    assert len(second["ResourceTagMappingList"]) == 5


def test_a_pattern_is_really_tested(cloud: Cloud) -> None:
    envelope = {"id": "1", "account": "123456789012", "source": "aws.s3", "time": "2026-01-01T00:00:00Z"}
    event = json.dumps({**envelope, "region": REGION, "resources": [], "detail-type": "x"})
    ask = cloud.events.test_event_pattern
    assert ask(EventPattern='{"source":["aws.s3"]}', Event=event)["Result"] is True
    assert ask(EventPattern='{"source":["aws.ec2"]}', Event=event)["Result"] is False
    code, text = refused(ask, EventPattern='{"source":["aws.s3"]}', Event=json.dumps(envelope))
    assert (code, text) == ("ValidationException", "Parameter Event is not valid.")
    assert refused(ask, EventPattern='{"source":"aws.s3"}', Event=event)[0] == "InvalidEventPatternException"


def _wildcard(*texts: str) -> str:
    return json.dumps({"source": [{"wildcard": text} for text in texts]})


def test_few_rules_have_wildcards(cloud: Cloud) -> None:
    put = cloud.events.put_rule
    for number in range(30):
        put(Name=f"w{number}", EventPattern=_wildcard("a*"))
    assert refused(put, Name="one-more", EventPattern=_wildcard("a*"))[0] == "LimitExceededException"
    put(Name="w0", EventPattern=_wildcard("b*"))  # it is one of the thirty
    cloud.rule()
    assert len(cloud.events.list_rules()["Rules"]) == 31


def test_wildcards_are_simple(cloud: Cloud) -> None:
    stacks = [f"*:stack/{name}/*" for name in ("Shared", "Api", "Web", "Monitoring")]
    cloud.events.put_rule(Name="r", EventPattern=_wildcard(*stacks[:3]))
    code, text = refused(cloud.events.put_rule, Name="r", EventPattern=_wildcard(*stacks))
    assert (code, "too complex" in text) == ("InvalidEventPatternException", True)
    event = {"id": "i", "account": "1", "source": "s", "time": "t", "region": "r", "resources": []}
    asked = {"EventPattern": _wildcard(*stacks), "Event": json.dumps(event | {"detail-type": "d"})}
    assert refused(cloud.events.test_event_pattern, **asked)[0] == "InvalidEventPatternException"
