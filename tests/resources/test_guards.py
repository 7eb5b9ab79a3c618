"""Who decides what is deleted, given back or left: each kind against an AWS that answers from a table.

Whole values and whole lists of calls are compared, so that no guard can be weakened without a test that says so.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from shnotify.aws.failures import AlreadyThereError, AwsError, StopError
from shnotify.aws.progress import Noted
from shnotify.engine.resource import Live
from shnotify.engine.values import Policy, Tags
from shnotify.resources.keylookup import aliases_of, by_scan, by_tag, grantees_of, tags_of, unless_so_already
from shnotify.resources.lookup import feeders, holds_messages
from shnotify.resources.lookup import tagged as every_tagged
from shnotify.resources.queue import depths
from shnotify.resources.subscription import Subscription
from shnotify.tags import OUR_TAGS
from tests.support.kinds import (
    DELAYED,
    IN_FLIGHT,
    K1,
    K2,
    KEY,
    KIND,
    NONE,
    NOT_OURS,
    QUEUE,
    QUEUE_ARN,
    RULE,
    RULE_ARN,
    TOPIC,
    TOPIC_ARN,
    WAITING,
    alias,
    events,
    key_live,
    kms,
    listed,
    meta,
    queue_live,
    sns,
    sqs,
    subscribed,
    tagged,
    tags,
)
from tests.support.scripted import Answer, scripted

URL = "https://sqs/123456789012/q"


def statements(*sids: str) -> Policy:
    return Policy({"Version": "2012-10-17", "Statement": [{"Sid": sid, "Effect": "Allow"} for sid in sids]})


def by_name(aws: Any) -> list[tuple[str, dict[str, Any]]]:
    return sorted(aws.sent, key=lambda call: call[0])


# -- keys --------------------------------------------------------------------------------------------------------------


def test_a_key_of_ours_is_known_by_its_alias() -> None:
    aws = kms()
    assert KEY.identify(aws) == key_live()
    assert by_name(aws) == [
        ("kms:DescribeKey", {"KeyId": "alias/a"}),
        ("kms:ListAliases", {"Limit": 100}),
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


def unnamed(*found: dict[str, Any], **more: Answer) -> Any:
    """No key has our alias; the tag search finds these."""
    metas = {one["Arn"]: one for one in found}

    def describe(params: dict[str, Any]) -> Any:
        return {"KeyMetadata": metas[params["KeyId"]]} if params["KeyId"] in metas else "NotFoundException"

    search = {"ResourceTagMappingList": [tagged(arn, "TopicKey") for arn in metas]}
    return kms(**{"kms_DescribeKey": describe, "tag_GetResources": search, **more})


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
    assert [m["KeyId"] for m in by_tag(aws, KEY.tags, "TopicKey")] == ["k4", "k5", "k3", "k9"]
    assert by_tag(aws, KEY.tags, "DlqKey") == []
    assert by_tag(aws, Tags(), "TopicKey") == []
    assert [m["KeyId"] for m in by_tag(aws, KEY.tags, "DlqKey", "k3")] == ["k3"]
    others = {"ResourceTagMappingList": [tagged(TOPIC_ARN, "TopicKey"), tagged(K1, "TopicKey", "other")]}
    assert by_tag(unnamed(tag_GetResources=others), KEY.tags, "TopicKey") == []
    gone = {"ResourceTagMappingList": [tagged(K1, "TopicKey"), tagged(K2, "TopicKey")]}
    assert [m["KeyId"] for m in by_tag(unnamed(meta("k2"), tag_GetResources=gone), KEY.tags, "TopicKey")] == ["k2"]


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
    assert aws.operations.count("kms:ListAliases") == 2  # once for all keys
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
    assert feeders(aws, TOPIC_ARN) == ("r1", "r2")
    assert person.outputs["Arn"] == "arn:1"
    assert [found.arn for found in every_tagged(aws, "mine")] == [K2]
    assert every_tagged(scripted({"tag:GetResources": {}}), "mine") == ()
    search = {
        "TagFilters": [{"Key": "shnotify:name"}],
        "ResourceTypeFilters": ["kms", "sns", "sqs", "events", "lambda", "logs"],
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


PROBE = {"QueueUrl": URL, "MaxNumberOfMessages": 1, "VisibilityTimeout": 0, "WaitTimeSeconds": 2}


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
    has = {"Policy": statements(ROOT_SID, KEY_SID, "Theirs").to_text()}
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


def test_a_key_that_lost_its_alias_to_another_run_is_scheduled_and_the_others_used() -> None:
    winner: Any = meta("k2")
    aws = scripted({"kms:ScheduleKeyDeletion": {}, "kms:ListResourceTags": {"Tags": listed(tags("TopicKey"), "Tag")}})
    assert KEY._give_up(aws, "k1", winner) is winner
    assert aws.sent == [
        ("kms:ScheduleKeyDeletion", {"KeyId": "k1", "PendingWindowInDays": 7}),
        ("kms:ListResourceTags", {"KeyId": "k2"}),
    ]
    assert aws.notes == [Noted("alias/a: another run created it first; its key is used, ours is given up")]
    for owner in ({}, tags("TopicKey", "other")):
        aws = scripted({"kms:ScheduleKeyDeletion": {}, "kms:ListResourceTags": {"Tags": listed(owner, "Tag")}})
        with pytest.raises(AlreadyThereError, match=r"alias/a was given to another key meanwhile \(k2\)") as caught:
            KEY._give_up(aws, "k1", winner)
        assert (caught.value.operation, caught.value.code) == ("kms:CreateAlias", "AlreadyExistsException")
        assert caught.value.hint == "run `shnotify plan` to see whose it is"
        assert aws.notes == []


# -- queues ------------------------------------------------------------------------------------------------------------


def test_a_queue_is_known_by_its_name_and_tags() -> None:
    aws = sqs({})
    assert QUEUE.identify(aws) == queue_live()
    assert by_name(aws) == [
        ("sqs:GetQueueAttributes", {"QueueUrl": URL, "AttributeNames": ["All"]}),
        ("sqs:ListQueueTags", {"QueueUrl": URL}),
    ]
    assert QUEUE.identify(sqs("QueueDoesNotExist")) is None
    untold: list[Answer] = ["QueueDoesNotExist", {"ResponseMetadata": {}}]
    for answer in untold:
        aws = sqs({})
        aws.answers["sqs:ListQueueTags"] = answer
        assert QUEUE.identify(aws) == queue_live(NOT_OURS, {})
    assert QUEUE.identify(sqs({}, {})) == queue_live(NOT_OURS, {})
    other = tags("Dlq", "other")
    assert QUEUE.identify(sqs({}, other)) == queue_live("it belongs to another notifier, 'other'", other)


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({WAITING: "1"}, "1 waiting"),
        ({IN_FLIGHT: "2"}, "2 in flight"),
        ({DELAYED: "3"}, "3 delayed"),
        ({WAITING: "1", IN_FLIGHT: "20", DELAYED: "300"}, "1 waiting, 20 in flight, 300 delayed"),
    ],
)
def test_a_queue_that_says_it_holds_messages_is_not_touched_unless_told_to(counts: dict[str, Any], words: str) -> None:
    live = queue_live(**counts)
    assert depths(counts) == words
    blocked = f"it holds messages ({words}): read them first, or discard them with --force"
    assert QUEUE.identify(sqs(counts)) == replace(live, blocked=blocked)
    forced = replace(QUEUE, discard_messages=True)
    expected = replace(
        live, state=replace(live.state, discard_messages=True), notes=(f"its messages are lost: {words}",)
    )
    assert forced.identify(sqs(counts)) == expected
    quiet = replace(expected, outputs=queue_live().outputs, notes=())
    assert forced.identify(sqs(NONE)) == quiet
    assert depths(NONE) == depths({}) == ""


STAYS = "the queue q holds messages, so it stays, and its key with it"


def deleting(old: bool, probe: Any, counts: Any) -> Any:
    aws = scripted({"sqs:ReceiveMessage": probe, "sqs:DeleteQueue": "QueueDoesNotExist"})
    if old:
        aws.answers["sqs:GetQueueAttributes"] = counts if isinstance(counts, str) else {"Attributes": counts}
        aws.time.sleep(5.5)
    return aws


@pytest.mark.parametrize(
    ("old", "probe", "counts"),
    [(False, {}, {}), (True, {}, NONE), (True, {}, "QueueDoesNotExist"), (True, "QueueDoesNotExist", {})],
)
def test_an_empty_queue_goes(old: bool, probe: Any, counts: Any) -> None:
    aws = deleting(old, probe, counts)
    QUEUE.delete(aws, queue_live())
    assert aws.sent[-1] == ("sqs:DeleteQueue", {"QueueUrl": URL})
    looked = {"sqs:ReceiveMessage"} | ({"sqs:GetQueueAttributes"} if old else set())
    assert set(aws.operations) == looked | {"sqs:DeleteQueue"}
    assert [params for operation, params in aws.sent if operation == "sqs:ReceiveMessage"] == [PROBE]


@pytest.mark.parametrize(
    ("old", "probe", "counts"),
    [(False, {"Messages": [{}]}, {}), (True, {"Messages": [{}]}, NONE), (True, {}, {IN_FLIGHT: "1"})],
)
def test_a_queue_that_holds_a_message_stays_unless_told_to_go(old: bool, probe: Any, counts: Any) -> None:
    aws = deleting(old, probe, counts)
    with pytest.raises(AwsError) as caught:
        QUEUE.delete(aws, queue_live())
    assert "sqs:DeleteQueue" not in aws.operations
    assert (caught.value.message, caught.value.operation) == (STAYS, "sqs:DeleteQueue")
    assert caught.value.hint == "read them first, or discard them with --force"
    aws = deleting(old, probe, counts)
    replace(QUEUE, discard_messages=True).delete(aws, queue_live())
    assert "sqs:DeleteQueue" in aws.operations
    assert "sqs:ReceiveMessage" not in aws.operations


def test_the_last_look_at_a_queue_is_new_enough_for_five_seconds() -> None:
    aws = deleting(False, {}, {})
    aws.time.sleep(5)
    QUEUE.delete(aws, queue_live())
    assert aws.operations == ["sqs:ReceiveMessage", "sqs:DeleteQueue"]


@pytest.mark.parametrize(
    ("attributes", "written"),
    [
        ({"Policy": statements("AllowEventBridgeDlq", "Theirs").to_text()}, statements("Theirs").to_text()),
        ({"Policy": statements("AllowEventBridgeDlq").to_text()}, ""),
        ({"Policy": statements("Theirs").to_text()}, None),
        ({"Policy": ""}, None),
        ({}, None),
        ("QueueDoesNotExist", None),
    ],
)
def test_a_queue_is_given_back_with_what_others_wrote(attributes: Any, written: str | None) -> None:
    aws = sqs(attributes)
    aws.answers |= {"sqs:SetQueueAttributes": {}, "sqs:UntagQueue": {}}
    QUEUE.release(aws, queue_live())
    writes = (
        [] if written is None else [("sqs:SetQueueAttributes", {"QueueUrl": URL, "Attributes": {"Policy": written}})]
    )
    assert aws.sent[1:] == [*writes, ("sqs:UntagQueue", {"QueueUrl": URL, "TagKeys": list(OUR_TAGS)})]


# -- topics and subscribers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "owner"),
    [
        (tags("UrgentTopic"), None),
        ({}, NOT_OURS),
        (tags("UrgentTopic", "other"), "it belongs to another notifier, 'other'"),
    ],
)
@pytest.mark.parametrize(
    ("count", "notes"),
    [(0, ()), (1, ("its 1 subscription goes with it",)), (2, ("its 2 subscriptions go with it",))],
)
def test_a_topic_is_known_by_its_tags_and_says_who_goes_with_it(
    found: dict[str, str], owner: str | None, count: int, notes: tuple[str, ...]
) -> None:
    aws = sns(found, *[subscribed()] * count)
    state = replace(TOPIC, tags=Tags.of(found))
    assert TOPIC.identify(aws) == Live(state, {"Arn": TOPIC_ARN}, owner, notes=notes)
    assert by_name(aws) == [
        ("sns:ListSubscriptionsByTopic", {"TopicArn": TOPIC_ARN}),
        ("sns:ListTagsForResource", {"ResourceArn": TOPIC_ARN}),
    ]


def test_a_topic_that_is_gone_is_gone_and_one_that_lost_its_list_has_no_subscribers() -> None:
    assert TOPIC.identify(sns("NotFound")) is None
    aws = sns(tags("UrgentTopic"))
    aws.answers["sns:ListSubscriptionsByTopic"] = "NotFound"
    live = TOPIC.identify(aws)
    assert live is not None
    assert live.notes == ()


def test_a_topic_is_deleted_by_its_arn() -> None:
    aws = scripted({"sns:DeleteTopic": {}})
    TOPIC.delete(aws, Live(TOPIC, {"Arn": "arn:live"}))
    assert aws.sent == [("sns:DeleteTopic", {"TopicArn": "arn:live"})]


@pytest.mark.parametrize(
    ("attributes", "written"),
    [
        ({"Policy": statements("AWS Events", "Theirs").to_text()}, statements("Theirs").to_text()),
        ({"Policy": statements("AWS Events").to_text()}, None),  # a topic cannot be without a policy
        ({"Policy": statements("Theirs").to_text()}, None),
        ({}, None),
        ("NotFound", None),
    ],
)
def test_a_topic_is_given_back_with_what_others_wrote(attributes: Any, written: str | None) -> None:
    aws = scripted({"sns:SetTopicAttributes": {}, "sns:UntagResource": {}})
    aws.answers["sns:GetTopicAttributes"] = attributes if isinstance(attributes, str) else {"Attributes": attributes}
    TOPIC.release(aws, Live(TOPIC, {"Arn": TOPIC_ARN}))
    put = {"TopicArn": TOPIC_ARN, "AttributeName": "Policy", "AttributeValue": written}
    assert aws.sent == [
        ("sns:GetTopicAttributes", {"TopicArn": TOPIC_ARN}),
        *([] if written is None else [("sns:SetTopicAttributes", put)]),
        ("sns:UntagResource", {"ResourceArn": TOPIC_ARN, "TagKeys": list(OUR_TAGS)}),
    ]


PERSON = Subscription(id="S", topic_arn=TOPIC_ARN, protocol="email", endpoint="A@example.com")


@pytest.mark.parametrize(
    ("entries", "outputs"),
    [
        ([], None),
        ([subscribed("arn:1", "email", "b@example.com"), subscribed("arn:2", "sqs", "a@example.com")], None),
        ([subscribed("Deleted", "email", "a@example.com")], None),
        ([subscribed("PendingConfirmation", "email", "a@EXAMPLE.com")], ("PendingConfirmation", "pending")),
        (
            [
                subscribed("PendingConfirmation", "email", "a@example.com"),
                subscribed("arn:1", "email", "a@example.com"),
            ],
            ("arn:1", "confirmed"),
        ),
    ],
)
def test_a_subscriber_is_known_by_protocol_and_endpoint(entries: list[Any], outputs: tuple[str, str] | None) -> None:
    aws = sns({}, *entries)
    live = PERSON.identify(aws)
    assert aws.sent == [("sns:ListSubscriptionsByTopic", {"TopicArn": TOPIC_ARN})]
    assert live == (outputs and Live(PERSON, dict(zip(("Arn", "State"), outputs, strict=True))))
    assert PERSON.identify(sns("NotFound")) is None


PENDING_NOTE = Noted("A@example.com is still pending: AWS drops it by itself")


@pytest.mark.parametrize(
    ("state", "answer", "asked", "notes"),
    [
        ("confirmed", {}, True, []),
        ("confirmed", "NotFound", True, []),
        ("confirmed", "InvalidParameter", True, [PENDING_NOTE]),
        ("confirmed", "InvalidParameterValue", True, [PENDING_NOTE]),
        ("pending", {}, False, [PENDING_NOTE]),
    ],
)
def test_only_a_confirmed_subscriber_can_be_unsubscribed(
    state: str, answer: Any, asked: bool, notes: list[Any]
) -> None:
    aws = scripted({"sns:Unsubscribe": answer})
    PERSON.delete(aws, Live(PERSON, {"Arn": "arn:1", "State": state}))
    assert aws.sent == ([("sns:Unsubscribe", {"SubscriptionArn": "arn:1"})] if asked else [])
    assert aws.notes == notes


def test_a_subscriber_that_may_not_be_removed_is_an_error() -> None:
    aws = scripted({"sns:Unsubscribe": "AuthorizationError"})
    with pytest.raises(AwsError) as caught:
        PERSON.delete(aws, Live(PERSON, {"Arn": "arn:1", "State": "confirmed"}))
    assert (caught.value.code, aws.notes) == ("AuthorizationError", [])


# -- rules -------------------------------------------------------------------------------------------------------------

RETRY = {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86400}
OURS, BY_HAND = {"Id": "shnotify", "Arn": "arn:x"}, {"Id": "hand", "Arn": TOPIC_ARN}
CHAT, MAIL = {"Id": "chat", "Arn": "arn:chat"}, {"Id": "mail", "Arn": "arn:mail"}


@pytest.mark.parametrize(
    ("targets", "ours", "blocked"),
    [
        ([], {}, None),
        ([OURS], OURS, None),
        (
            [{**OURS, "RetryPolicy": {"MaximumRetryAttempts": 1}}],
            {**OURS, "RetryPolicy": {"MaximumRetryAttempts": 1}},
            None,
        ),
        ([BY_HAND], BY_HAND, None),
        ([BY_HAND, OURS], OURS, f"it also feeds {TOPIC_ARN}, which is not ours to cut off"),
        ([CHAT], {}, "it also feeds arn:chat, which is not ours to cut off"),
        ([CHAT, OURS, MAIL], OURS, "it also feeds arn:chat, arn:mail, which is not ours to cut off"),
        (
            [BY_HAND, {**BY_HAND, "Id": "again"}],
            BY_HAND,
            f"it also feeds {TOPIC_ARN}, which is not ours to cut off",
        ),
    ],
)
def test_a_rule_that_feeds_others_too_is_not_touched(targets: list[Any], ours: Any, blocked: str | None) -> None:
    aws = events(tags("UrgentRule"), *targets)
    target = {k: v for k, v in ours.items() if k != "Id"}
    whole = {**target, "RetryPolicy": {**RETRY, **target.get("RetryPolicy", {})}} if ours else {}
    state = replace(RULE, tags=Tags.of(tags("UrgentRule")), targets=whole)
    live = Live(state, {"Arn": RULE_ARN, "TargetId": ours.get("Id", "")}, None, blocked)
    assert RULE.identify(aws) == live
    assert by_name(aws) == [
        ("events:ListTagsForResource", {"ResourceARN": RULE_ARN}),
        ("events:ListTargetsByRule", {"Rule": "r"}),
    ]


def test_a_rule_is_known_by_its_name_and_tags() -> None:
    assert RULE.identify(events("ResourceNotFoundException")) is None
    for found, owner in (({}, NOT_OURS), (tags("UrgentRule", "other"), "it belongs to another notifier, 'other'")):
        live = RULE.identify(events(found))
        assert live is not None
        assert live.owner == owner
    lost = events(tags("UrgentRule"))
    lost.answers["events:ListTargetsByRule"] = "ResourceNotFoundException"
    live = RULE.identify(lost)
    assert live is not None
    assert (live.owner, live.blocked, live.state.targets) == (None, None, {})


def rule_live(target: str = "hand") -> Any:
    return Live(RULE, {"Arn": RULE_ARN, "TargetId": target})


REMOVED = ("events:RemoveTargets", {"Rule": "r", "Ids": ["hand"]})
FAILED = {"FailedEntryCount": 1, "FailedEntries": [{"TargetId": "hand", "ErrorCode": "Bad", "ErrorMessage": "no"}]}


def test_a_rule_goes_after_its_target_and_is_given_back_without_it() -> None:
    for answer in ({"FailedEntryCount": 0}, "ResourceNotFoundException"):
        aws = scripted({"events:RemoveTargets": answer, "events:DeleteRule": answer, "events:UntagResource": {}})
        RULE.delete(aws, rule_live())
        assert aws.sent == [REMOVED, ("events:DeleteRule", {"Name": "r"})]
        aws.sent.clear()
        RULE.release(aws, rule_live())
        assert aws.sent == [REMOVED, ("events:UntagResource", {"ResourceARN": RULE_ARN, "TagKeys": list(OUR_TAGS)})]
        aws.sent.clear()
        RULE.delete(aws, rule_live(""))
        assert aws.sent == [("events:DeleteRule", {"Name": "r"})]


@pytest.mark.parametrize(
    ("reply", "message", "code"),
    [
        (FAILED, "events:RemoveTargets failed for target hand: Bad: no", "Bad"),
        ({"FailedEntryCount": 1}, "events:RemoveTargets failed for target ?: unknown: ", "unknown"),
        (
            {"FailedEntryCount": 1, "FailedEntries": [{}]},
            "events:RemoveTargets failed for target ?: unknown: ",
            "unknown",
        ),
    ],
)
def test_a_rule_whose_target_stays_is_not_deleted(reply: Any, message: str, code: str) -> None:
    for do in (RULE.delete, RULE.release):
        aws = scripted({"events:RemoveTargets": reply})
        with pytest.raises(AwsError) as caught:
            do(aws, rule_live())
        assert aws.sent == [REMOVED]
        assert (caught.value.message, caught.value.code) == (message, code)
        assert (caught.value.operation, caught.value.hint) == ("events:RemoveTargets", "run the same command again")
