"""Keys: who decides what is deleted, given back or left, against an AWS that answers from a table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from shnotify.aws.failures import AlreadyThereError, AwsError, StopError
from shnotify.aws.progress import Noted
from shnotify.engine.values import Tags
from shnotify.resources.keylookup import Sought, aliases_of, by_scan, by_tag, grantees_of, tags_of, unless_so_already
from shnotify.resources.lookup import holds_messages, rules_feeding
from shnotify.resources.lookup import tagged as every_tagged
from shnotify.tags import OUR_TAGS
from tests.support.guards import CHAT, OURS, PERSON, PROBE, by_name, statements, unnamed
from tests.support.kinds import (
    K1,
    K2,
    KEY,
    KIND,
    NOT_OURS,
    QUEUE_ARN,
    RULE,
    TOPIC_ARN,
    alias,
    events,
    key_live,
    kms,
    listed,
    meta,
    subscribed,
    tagged,
    tags,
)
from tests.support.scripted import Answer, scripted


def test_a_key_of_ours_is_known_by_its_alias() -> None:
    aws = kms()
    assert KEY.identify(aws) == key_live()
    assert by_name(aws) == [
        ("kms:DescribeKey", {"KeyId": "alias/a"}),
        ("kms:ListAliases", {"Limit": 100, "KeyId": "k1"}),
        ("kms:ListGrants", {"KeyId": "k1"}),
        ("kms:ListResourceTags", {"KeyId": "k1"}),
    ]


GRANTS = {"Grants": [{"GranteePrincipal": "b"}, {"GranteePrincipal": "a"}, {}, {"GranteePrincipal": "a"}]}


@pytest.mark.parametrize(
    ("answers", "owner"),
    [
        ({"kms_ListResourceTags": {"Tags": []}}, NOT_OURS),
        (
            {"kms_ListResourceTags": {"Tags": listed(tags("X", "other"), "Tag")}},
            "it belongs to another notifier, 'other'",
        ),
        ({"kms_ListAliases": {"Aliases": [alias("a"), alias("b")]}}, "somebody else uses it too (alias/b)"),
        ({"kms_ListGrants": GRANTS}, "somebody else uses it too (a grant for a, a grant for b, a grant for somebody)"),
        (
            {"kms_ListAliases": {"Aliases": [alias("b")]}, "kms_ListGrants": {"Grants": [{"GranteePrincipal": "x"}]}},
            "somebody else uses it too (alias/b, a grant for x)",
        ),
    ],
)
def test_a_key_that_others_own_or_use_is_not_only_ours(answers: dict[str, Answer], owner: str) -> None:
    live = KEY.identify(kms(**answers))
    assert live is not None
    assert live.owner == owner


BAD_KIND = "it is not a symmetric, single-Region encryption key made by KMS, and that cannot be changed"


@pytest.mark.parametrize(
    ("found", "blocked"),
    [
        (meta(state="Disabled"), None),
        (meta(KeySpec="RSA_2048"), BAD_KIND),
        (meta(KeyUsage="SIGN_VERIFY"), BAD_KIND),
        (meta(Origin="EXTERNAL"), BAD_KIND),
        (meta(MultiRegion=True), BAD_KIND),
        ({name: value for name, value in meta().items() if name not in KIND}, None),
        (
            meta(state="PendingImport", Origin="EXTERNAL"),
            "KMS says that the key is PendingImport: only AWS or the key's owner can change that",
        ),
    ],
)
def test_a_key_of_another_kind_or_state_is_not_touched(found: dict[str, Any], blocked: str | None) -> None:
    live = KEY.identify(kms(found))
    assert live == replace(key_live(found, enabled=found["KeyState"] == "Enabled"), blocked=blocked)


def test_a_key_that_is_on_its_way_out_counts_while_it_has_its_alias() -> None:
    dying = meta(state="PendingDeletion")
    when = {**dying, "DeletionDate": datetime(2026, 2, 3, tzinfo=UTC)}
    for found, note in ((dying, "it is scheduled for deletion"), (when, "it is scheduled for deletion on 2026-02-03")):
        live = KEY.identify(kms(found))
        facts = {"DeletionDate": "2026-02-03"} if found is when else {}
        assert live == replace(key_live(found, enabled=False), notes=(note,), facts=facts)
    unnamed = kms(
        dying, kms_DescribeKey=lambda p: "NotFoundException" if p["KeyId"] == "alias/a" else {"KeyMetadata": dying}
    )
    unnamed.answers["tag:GetResources"] = {"ResourceTagMappingList": [tagged(K1, "TopicKey")]}
    assert KEY.identify(unnamed) is None
    assert "kms:ListAliases" not in unnamed.operations


@pytest.mark.parametrize(
    ("aliases", "name", "owner"),
    [
        ([], "", None),
        ([alias("old")], "alias/old", None),
        ([alias("b", "k2")], "", None),
        ([alias("b"), alias("c")], "", "somebody else uses it too (alias/b, alias/c)"),
    ],
)
def test_a_key_without_our_alias_is_known_by_its_tags(aliases: list[Any], name: str, owner: str | None) -> None:
    aws = unnamed(meta(), kms_ListAliases={"Aliases": aliases})
    assert KEY.identify(aws) == key_live(alias_name=name, owner=owner)
    assert KEY.identify(unnamed()) is None


def test_a_key_that_was_found_by_tag_is_looked_for_by_its_id() -> None:
    old = replace(KEY, key_id="k2", alias_name="", id="Key")
    aws = unnamed(meta("k1"), meta("k2"))
    live = old.identify(aws)
    assert live is not None
    assert (live.outputs["KeyId"], live.state.alias_name) == ("k2", "alias/theirs")
    assert {"KeyId": ""} not in [params for _, params in aws.sent]


def test_of_several_keys_with_our_tags_a_usable_one_counts_then_the_oldest() -> None:
    found = [meta("k9", "PendingDeletion"), meta("k3", day=3), meta("k5", day=2), meta("k4", day=2)]
    aws = unnamed(*found)
    assert [m["KeyId"] for m in by_tag(aws, Sought(KEY.tags, "TopicKey"))] == ["k4", "k5", "k3", "k9"]
    assert by_tag(aws, Sought(KEY.tags, "DlqKey")) == []
    assert by_tag(aws, Sought(Tags(), "TopicKey")) == []
    assert [m["KeyId"] for m in by_tag(aws, Sought(KEY.tags, "DlqKey", "k3"))] == ["k3"]
    others = {"ResourceTagMappingList": [tagged(TOPIC_ARN, "TopicKey"), tagged(K1, "TopicKey", "other")]}
    assert by_tag(unnamed(tag_GetResources=others), Sought(KEY.tags, "TopicKey")) == []
    gone = {"ResourceTagMappingList": [tagged(K1, "TopicKey"), tagged(K2, "TopicKey")]}
    recreated = unnamed(meta("k2"), tag_GetResources=gone)
    assert [m["KeyId"] for m in by_tag(recreated, Sought(KEY.tags, "TopicKey"))] == ["k2"]


def paged_by(token: str, first: dict[str, Any], second: dict[str, Any]) -> Answer:
    return lambda params: second if params.get(token) == "m" else {**first, token: "m"}


def paged(first: dict[str, Any], second: dict[str, Any]) -> Answer:
    return lambda params: second if params.get("Marker") == "m" else {**first, "NextMarker": "m", "Truncated": True}


def test_what_is_listed_is_listed_to_the_last_page() -> None:
    aws = scripted(
        {
            "kms:ListResourceTags": paged({"Tags": listed({"a": "1"}, "Tag")}, {"Tags": listed({"b": "2"}, "Tag")}),
            "kms:ListAliases": paged({"Aliases": [alias("a")]}, {"Aliases": [alias("b"), alias("c", "k2")]}),
            "kms:ListGrants": paged({"Grants": [{"GranteePrincipal": "b"}]}, {"Grants": [{"GranteePrincipal": "a"}]}),
        }
    )
    assert tags_of(aws, "k1") == Tags.of({"a": "1", "b": "2"})
    assert grantees_of(aws, "k1") == ["a", "b"]
    assert (aliases_of(aws, "k1"), aliases_of(aws, "k2")) == (["alias/a", "alias/b"], ["alias/c"])
    asked = [params for operation, params in aws.sent if operation == "kms:ListAliases"]
    assert [(one["KeyId"], one.get("Marker")) for one in asked] == [
        ("k1", None),
        ("k1", "m"),
        ("k2", None),
        ("k2", "m"),
    ]
    assert [params for _, params in aws.sent[:2]] == [{"KeyId": "k1"}, {"KeyId": "k1", "Marker": "m"}]


def test_what_other_services_list_is_listed_to_the_last_page() -> None:
    lists: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
        "events:ListTargetsByRule": ("NextToken", {"Targets": [OURS]}, {"Targets": [CHAT]}),
        "events:ListRuleNamesByTarget": ("NextToken", {"RuleNames": ["r1"]}, {"RuleNames": ["r2"]}),
        "sns:ListSubscriptionsByTopic": (
            "NextToken",
            {"Subscriptions": []},
            {"Subscriptions": [subscribed("arn:1", "email", "a@example.com")]},
        ),
        "tag:GetResources": (
            "PaginationToken",
            {"ResourceTagMappingList": [tagged(K1, "X", "other")]},
            {"ResourceTagMappingList": [tagged(K2, "X"), {"ResourceARN": QUEUE_ARN}]},
        ),
    }
    aws = events(tags("UrgentRule"))
    aws.answers |= {operation: paged_by(*pages) for operation, pages in lists.items()}
    rule, person = RULE.identify(aws), PERSON.identify(aws)
    assert rule is not None
    assert person is not None
    assert rule.blocked == "it also feeds arn:chat, which is not ours to cut off"
    assert rules_feeding(aws, TOPIC_ARN) == ("r1", "r2")
    assert person.outputs["Arn"] == "arn:1"
    assert [found.arn for found in every_tagged(aws, "mine")] == [K2]
    assert every_tagged(scripted({"tag:GetResources": {}}), "mine") == ()
    search = {
        "TagFilters": [{"Key": "shnotify:name"}],
        "ResourceTypeFilters": ["kms", "sns", "sqs", "events", "lambda", "logs", "cloudwatch", "scheduler"],
        "ResourcesPerPage": 100,
    }
    assert [params for operation, params in aws.sent if operation == "tag:GetResources"] == [
        search,
        {**search, "PaginationToken": "m"},
    ]


def test_a_scan_asks_every_key_and_takes_the_oldest_usable_one() -> None:
    found = {
        one["KeyId"]: one
        for one in (meta("k1", "PendingDeletion"), meta("k3", day=3), meta("k5", day=2), meta("k4", day=2))
    }
    theirs = {"other": tags("TopicKey", "other"), "dlq": tags("DlqKey"), "none": {}}

    def tags_for(params: dict[str, Any]) -> Any:
        if params["KeyId"] == "secret":
            return "AccessDeniedException"
        return {"Tags": listed(theirs.get(params["KeyId"], tags("TopicKey")), "Tag")}

    ids = [{"KeyId": key} for key in ("secret", *theirs, *found)]
    answers: dict[str, Answer] = {
        "kms:ListKeys": paged({"Keys": ids[:3]}, {"Keys": ids[3:]}),
        "kms:ListResourceTags": tags_for,
        "kms:DescribeKey": lambda params: {"KeyMetadata": found[params["KeyId"]]},
    }
    usable = by_scan(scripted(answers), KEY.tags, "TopicKey")
    assert usable is not None
    assert usable["KeyId"] == "k4"
    assert by_scan(scripted({**answers, "kms:ListKeys": {"Keys": ids[:5]}}), KEY.tags, "TopicKey") is None

    def stopped(_params: dict[str, Any]) -> Any:
        raise StopError("interrupted")

    with pytest.raises(StopError):
        by_scan(scripted({**answers, "kms:ListResourceTags": stopped}), KEY.tags, "TopicKey")


def test_a_key_that_is_in_that_state_already_is_no_error() -> None:
    answers: list[Answer] = [{}, "KMSInvalidStateException", "NotFoundException"]
    for answer in answers:
        aws = scripted({"kms:ScheduleKeyDeletion": answer})
        unless_so_already(aws, aws.kms.schedule_key_deletion, KeyId="k1", PendingWindowInDays=7)
        assert aws.sent == [("kms:ScheduleKeyDeletion", {"KeyId": "k1", "PendingWindowInDays": 7})]
    aws = scripted({"kms:ScheduleKeyDeletion": "LimitExceededException"})
    with pytest.raises(AwsError) as caught:
        unless_so_already(aws, aws.kms.schedule_key_deletion, KeyId="k1")
    assert caught.value.code == "LimitExceededException"


@pytest.mark.parametrize(
    ("answer", "holds"),
    [({}, False), ({"Messages": []}, False), ({"Messages": [{}]}, True), ("QueueDoesNotExist", False)],
)
def test_a_queue_is_asked_for_a_message(answer: Answer, holds: bool) -> None:
    aws = scripted({"sqs:ReceiveMessage": answer})
    assert holds_messages(aws, QUEUE_ARN) is holds
    assert aws.sent == [("sqs:ReceiveMessage", PROBE)]


def test_a_key_goes_after_its_alias_when_no_queue_it_may_serve_holds_a_message() -> None:
    aws = scripted({"sqs:ReceiveMessage": {}, "kms:DeleteAlias": "NotFoundException", "kms:ScheduleKeyDeletion": {}})
    KEY.delete(aws, key_live(alias_name="alias/old"))
    assert aws.sent == [
        ("sqs:ReceiveMessage", PROBE),
        ("kms:DeleteAlias", {"AliasName": "alias/old"}),
        ("kms:ScheduleKeyDeletion", {"KeyId": "k1", "PendingWindowInDays": 9}),
    ]
    aws = scripted({"sqs:ReceiveMessage": {}, "kms:ScheduleKeyDeletion": "KMSInvalidStateException"})
    KEY.delete(aws, key_live(alias_name=""))
    assert aws.operations == ["sqs:ReceiveMessage", "kms:ScheduleKeyDeletion"]
    aws = scripted({"sqs:ReceiveMessage": {}, "kms:DeleteAlias": {}})
    KEY.delete(aws, key_live(meta(state="PendingDeletion")))
    assert aws.operations == ["sqs:ReceiveMessage", "kms:DeleteAlias"]


def test_a_key_stays_when_one_of_its_queues_holds_a_message() -> None:
    second = {"QueueUrl": "https://sqs/123456789012/q2"}
    aws = scripted({"sqs:ReceiveMessage": lambda p: {"Messages": [{}]} if p["QueueUrl"] == second["QueueUrl"] else {}})
    with pytest.raises(AwsError) as caught:
        replace(KEY, guards=(QUEUE_ARN, QUEUE_ARN + "2")).delete(aws, key_live())
    assert aws.operations == ["sqs:ReceiveMessage"] * 2
    assert caught.value.message == "q2 holds messages that may be encrypted with this key, so it stays"
    assert (caught.value.hint, caught.value.operation) == (
        "read them first, then run it again",
        "kms:ScheduleKeyDeletion",
    )


ROOT_SID, KEY_SID = "Enable IAM User Permissions", "Allow EventBridge to use the key"


def test_a_key_is_given_back_with_its_root_statement_and_what_others_wrote() -> None:
    has = {"Policy": statements(ROOT_SID, KEY_SID, "Allow SNS to use the key", "Theirs").to_text()}
    aws = scripted({"kms:GetKeyPolicy": has, "kms:PutKeyPolicy": {}, "kms:UntagResource": {}})
    KEY.release(aws, key_live())
    assert aws.sent == [
        ("kms:GetKeyPolicy", {"KeyId": "k1", "PolicyName": "default"}),
        (
            "kms:PutKeyPolicy",
            {"KeyId": "k1", "PolicyName": "default", "Policy": statements(ROOT_SID, "Theirs").to_text()},
        ),
        ("kms:UntagResource", {"KeyId": "k1", "TagKeys": list(OUR_TAGS)}),
    ]
    aws = scripted({"kms:GetKeyPolicy": {"Policy": statements("Theirs").to_text()}, "kms:UntagResource": {}})
    KEY.release(aws, key_live())
    assert aws.operations == ["kms:GetKeyPolicy", "kms:UntagResource"]


def test_a_key_that_lost_its_alias_to_another_run_gives_way_to_the_others() -> None:
    begun = {"Arn": "arn:k1", "KeyId": "k1", "New": "k1"}
    lost: dict[str, Answer] = {
        "kms:CreateAlias": "AlreadyExistsException",
        "kms:EnableKeyRotation": {},
        "kms:DescribeKey": {"KeyMetadata": meta("k2")},
    }
    aws = scripted({**lost, "kms:ListResourceTags": {"Tags": listed(tags("TopicKey"), "Tag")}})
    assert KEY.finish(aws, begun) == {"Arn": meta("k2")["Arn"], "KeyId": "k2"}
    assert "kms:ScheduleKeyDeletion" not in aws.operations
    aws = scripted({"kms:ScheduleKeyDeletion": {}})
    KEY.retire(aws, begun)
    assert aws.sent == [("kms:ScheduleKeyDeletion", {"KeyId": "k1", "PendingWindowInDays": 7})]
    assert aws.notes == [Noted("alias/a: another run created it first; its key is used, ours is given up")]
    for owner in ({}, tags("TopicKey", "other")):
        aws = scripted({**lost, "kms:ListResourceTags": {"Tags": listed(owner, "Tag")}})
        with pytest.raises(AlreadyThereError, match=r"alias/a was given to another key meanwhile \(k2\)") as caught:
            KEY.finish(aws, begun)
        assert (caught.value.operation, caught.value.code) == ("kms:CreateAlias", "AlreadyExistsException")
        assert caught.value.hint == "run `shnotify plan` to see whose it is"
        assert "kms:ScheduleKeyDeletion" not in aws.operations  # things may be encrypted with ours by now
