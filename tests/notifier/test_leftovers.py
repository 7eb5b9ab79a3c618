"""What counts as left over: ours by its own tags, read and not just found, and no longer in the file."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from shnotify.aws.failures import AwsError, StopError
from shnotify.engine.graph import Graph
from shnotify.engine.resource import Live, Resource, Unreadable
from shnotify.engine.values import Tags
from shnotify.notifier import leftovers
from shnotify.notifier.leftovers import Finder
from shnotify.resources.function import Function
from shnotify.resources.key import Key
from shnotify.resources.kinds import thing_at
from shnotify.resources.loggroup import LogGroup
from shnotify.resources.queue import Queue
from shnotify.resources.role import Role
from shnotify.resources.rule import Rule
from shnotify.resources.subscription import Subscription
from shnotify.resources.topic import Topic
from tests.support.kinds import (
    ARN,
    K1,
    K2,
    NOT_OURS,
    QUEUE,
    QUEUE_ARN,
    RULE,
    RULE_ARN,
    TOPIC,
    TOPIC_ARN,
    WAITING,
    key_live,
    listed,
    meta,
    queue_live,
    subscribed,
    tagged,
    tags,
)
from tests.support.scripted import Answer, scripted

FUNCTION_ARN, LOGS_ARN = ARN.format("lambda", "function:f"), ARN.format("logs", "log-group:/aws/lambda/f")
ROLE_ARN = "arn:aws:iam::123456789012:role/f-eu-west-1"
OLD_TOPIC, OLD_QUEUE, OLD_RULE = TOPIC_ARN + "-old", QUEUE_ARN + "-old", RULE_ARN + "-old"

KINDS: dict[str, tuple[type[Resource], str, str]] = {
    K1: (Key, "Key", "k1"),
    QUEUE_ARN: (Queue, "Queue", "q"),
    TOPIC_ARN: (Topic, "Topic", "t"),
    RULE_ARN: (Rule, "Rule", "r"),
    FUNCTION_ARN: (Function, "Function", "f"),
    LOGS_ARN: (LogGroup, "Logs", "/aws/lambda/f"),
    ROLE_ARN: (Role, "Role", "f-eu-west-1"),
}


def at(arn: str, resource_id: str | None = None) -> Resource | None:
    """What an ARN stands for, as the search sees it."""
    found = thing_at(arn, Tags.of({"shnotify:name": "mine"}))
    return leftovers._called(found, resource_id).guarded((QUEUE,)) if found else None


@pytest.mark.parametrize("arn", KINDS)
def test_an_arn_stands_for_a_thing_of_its_kind_of_which_nothing_is_wanted(arn: str) -> None:
    kind, plain, name = KINDS[arn]
    for hint, expected in ((None, plain), ("UrgentX", "UrgentX")):
        found = at(arn, hint)
        assert found is not None
        assert type(found) is kind
        assert (found.id, found.name) == (expected, name)
        assert found.tags_or_none() == Tags.of({"shnotify:name": "mine"})
        if isinstance(found, Key):
            assert (found.key_id, found.alias_name, found.guards, found.pending_window_in_days) == (
                name,
                "",
                (QUEUE_ARN,),
                30,
            )
        else:
            assert found.arn == arn
        told = {"Tags", "AliasName", "Enabled"} if kind is Key else {"Tags"}
        assert {path for path, value in found.managed().items() if value not in ("", {})} <= told


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "text",
        ARN.format("kms", "alias/a"),
        ARN.format("sns", "t:subscription-id"),
        ARN.format("events", "event-bus/b"),
        ARN.format("events", "rule/bus/r"),
        ARN.format("lambda", "layer:l"),
        ARN.format("logs", "log-group:/other/f"),
        "arn:aws:iam::123456789012:user/u",
        ARN.format("s3", "key/rule"),
    ],
)
def test_an_arn_of_a_kind_that_is_not_ours_stands_for_nothing(arn: str) -> None:
    assert at(arn, "X") is None


# -- read before it counts ---------------------------------------------------------------------------------------------


def topics(**found: Any) -> Any:
    """A gateway where topics have these tags, no subscribers, and no rule that feeds them."""

    def tags_for(params: dict[str, Any]) -> Any:
        answer = found.get(params["ResourceArn"].rpartition(":")[2].replace("-", "_"), "NotFound")
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, str) else {"Tags": listed(answer)}

    return scripted(
        {
            "sns:ListTagsForResource": tags_for,
            "sns:ListSubscriptionsByTopic": {"Subscriptions": []},
            "events:ListRuleNamesByTarget": {"RuleNames": []},
        }
    )


def topic(arn: str = OLD_TOPIC, resource_id: str = "Topic") -> Topic:
    found = at(arn, resource_id)
    assert isinstance(found, Topic)
    return found


def topic_live(thing: Topic, found: dict[str, str]) -> Live[Topic]:
    return Live(replace(thing, tags=Tags.of(found)), {"Arn": thing.topic_arn})


def test_a_candidate_counts_when_its_own_tags_say_that_it_is_ours() -> None:
    thing = topic()
    for found in (tags("OldTopic"), {"shnotify:name": "mine"}):
        named = replace(thing, id=found.get("shnotify:resource", "Topic"))
        assert leftovers._identify(topics(t_old=found), thing) == (named, topic_live(thing, found))
    strange: list[Any] = [
        "NotFound",
        {},
        tags("OldTopic", "other"),
        {"aws:cloudformation:stack-name": "s", **tags("X")},
    ]
    for answer in strange:
        assert leftovers._identify(topics(t_old=answer), thing) is None
    for found in ({}, {"shnotify:name": ""}):
        assert leftovers._identify(topics(t_old=found), replace(thing, tags=Tags())) is None


def test_a_candidate_that_cannot_be_read_is_told_and_a_stop_stops() -> None:
    thing = topic()
    found = leftovers._identify(topics(t_old="AccessDenied"), thing)
    assert found is not None
    assert found[0] is thing
    assert isinstance(found[1], Unreadable)
    assert isinstance(found[1].error, AwsError)
    with pytest.raises(StopError):
        leftovers._identify(topics(t_old=StopError("interrupted")), thing)


FULL: dict[str, Any] = {WAITING: "1"}


def search(*found: Any) -> Answer:
    return {"ResourceTagMappingList": list(found)}


def test_what_is_found_and_not_wanted_is_left_over() -> None:
    """Row by row: wanted by ARN, wanted as it is seen, of another notifier, gone, and two that say the same id."""
    aws = topics(t_old=tags("UrgentTopic"), t_new=tags("CalmTopic"))
    aws.answers["tag:GetResources"] = search(
        tagged(TOPIC_ARN, "UrgentTopic"),
        tagged(K1, "TopicKey"),
        tagged(TOPIC_ARN + "-theirs", "X", "other"),
        tagged(TOPIC_ARN + "-gone", "GoneTopic"),
        tagged(OLD_TOPIC, "UrgentTopic"),
        tagged(TOPIC_ARN + "-new", "CalmTopic"),
        tagged(ARN.format("kms", "alias/a"), "X"),
    )
    found = Finder(aws, Graph((TOPIC,)), "mine", pointers=False).find({"TopicKey": key_live()})
    digest = hashlib.sha256(OLD_TOPIC.encode()).hexdigest()[:8]
    assert [(r.id, r.arn) for r, _ in found] == [
        ("CalmTopic", TOPIC_ARN + "-new"),
        (f"UrgentTopicLeftover{digest}", OLD_TOPIC),
    ]
    assert [type(live) for _, live in found] == [Live, Live]
    fed = [params["TargetArn"] for operation, params in aws.sent if operation == "events:ListRuleNamesByTarget"]
    assert sorted(fed) == sorted([OLD_TOPIC, TOPIC_ARN + "-new"])


def test_two_leftovers_of_one_id_are_told_apart() -> None:
    aws = topics(t_old=tags("UrgentTopic"), t_new=tags("UrgentTopic"))
    aws.answers["tag:GetResources"] = search(
        tagged(OLD_TOPIC, "UrgentTopic"), tagged(TOPIC_ARN + "-new", "UrgentTopic")
    )
    found = Finder(aws, Graph(()), "mine", pointers=False).find({})
    digest = hashlib.sha256(OLD_TOPIC.encode()).hexdigest()[:8]
    assert [r.id for r, _ in found] == ["UrgentTopic", f"UrgentTopicLeftover{digest}"]


def left_key(holding: Any = None, graph: tuple[Resource, ...] = (QUEUE,), **more: Answer) -> tuple[Resource, Any]:
    """The leftover key that is found beside what the graph's queue says."""
    aws = scripted(
        {
            "tag:GetResources": search(tagged(K2, "OldKey")),
            "kms:DescribeKey": {"KeyMetadata": meta("k2")},
            "kms:ListAliases": {"Aliases": []},
            "kms:ListGrants": {"Grants": []},
            "kms:ListResourceTags": {"Tags": listed(tags("OldKey"), "Tag")},
            **{name.replace("_", ":"): answer for name, answer in more.items()},
        }
    )
    [found] = Finder(aws, Graph(graph), "mine", pointers=False).find({"Dlq": holding})
    return found


def test_a_leftover_key_stays_while_a_queue_of_ours_holds_messages() -> None:
    resource, live = left_key(queue_live())
    assert (resource.id, live.blocked) == ("OldKey", None)
    assert isinstance(resource, Key)
    assert resource.guards == (QUEUE_ARN,)
    _, live = left_key(queue_live(**FULL))
    assert live.blocked == "q holds messages that may be encrypted with it, so it stays"
    for other in (queue_live("theirs", **FULL), None, Unreadable(AwsError("denied"))):
        assert left_key(other)[1].blocked is None
    _, live = left_key(queue_live(**FULL), kms_DescribeKey={"KeyMetadata": meta("k2", "Unavailable")})
    assert live.blocked.startswith("KMS says that the key is Unavailable")
    resource, live = left_key(queue_live(**FULL), kms_ListResourceTags="AccessDenied")
    assert (resource.id, type(live)) == ("OldKey", Unreadable)


def test_a_leftover_queue_that_holds_messages_keeps_a_leftover_key_and_nothing_else() -> None:
    aws = topics(t_old=tags("OldTopic"))
    aws.answers |= {
        "tag:GetResources": search(tagged(K2, "OldKey"), tagged(OLD_QUEUE, "OldDlq"), tagged(OLD_TOPIC, "OldTopic")),
        "kms:DescribeKey": {"KeyMetadata": meta("k2")},
        "kms:ListAliases": {"Aliases": []},
        "kms:ListGrants": {"Grants": []},
        "kms:ListResourceTags": {"Tags": listed(tags("OldKey"), "Tag")},
        "sqs:GetQueueAttributes": {"Attributes": FULL},
        "sqs:ListQueueTags": {"Tags": tags("OldDlq")},
    }
    found: Any = {r.id: live for r, live in Finder(aws, Graph(()), "mine", pointers=False).find({})}
    assert found["OldKey"].blocked == "q-old holds messages that may be encrypted with it, so it stays"
    assert found["OldTopic"].blocked is None


# -- found by what points at it ----------------------------------------------------------------------------------------


def rule_live(owner: str | None = None, **targets: Any) -> Live[Rule]:
    return Live(replace(RULE, targets=targets), {"Arn": RULE_ARN, "TargetId": "x"}, owner)


def test_what_our_live_things_name_and_who_feeds_our_topics() -> None:
    aws = scripted({"events:ListRuleNamesByTarget": {"RuleNames": ["r", "r-old"]}})

    def pointed(live: Any) -> list[str]:
        return list(leftovers._pointed_at(aws, [live]))

    assert pointed(rule_live(Arn=OLD_TOPIC, DeadLetterConfig={"Arn": OLD_QUEUE})) == [OLD_TOPIC, OLD_QUEUE]
    assert pointed(rule_live(DeadLetterConfig=None)) == []
    assert pointed(Live(replace(TOPIC, kms_master_key_id=K2), {})) == [K2, RULE_ARN, OLD_RULE]
    assert aws.sent == [("events:ListRuleNamesByTarget", {"TargetArn": TOPIC_ARN})]
    assert pointed(Live(replace(QUEUE, kms_master_key_id=K1), {})) == [K1]
    assert pointed(key_live()) == []
    for nothing in (None, Unreadable(AwsError("x")), rule_live(NOT_OURS, Arn=OLD_TOPIC)):
        assert pointed(nothing) == []
    both = [None, rule_live(NOT_OURS, Arn="no"), Live(replace(QUEUE, kms_master_key_id=K1), {})]
    assert list(leftovers._pointed_at(aws, both)) == [K1]


def test_what_is_pointed_at_counts_though_the_search_does_not_show_it() -> None:
    aws = topics(t_old={"shnotify:name": "mine"})
    aws.answers["tag:GetResources"] = search()
    wanted = {"UrgentRule": rule_live(Arn=OLD_TOPIC)}
    assert [r.id for r, _ in Finder(aws, Graph((RULE,)), "mine", pointers=True).find(wanted)] == ["Topic"]
    assert Finder(topics_with_search(), Graph((RULE,)), "mine", pointers=False).find(wanted) == ()
    aws = topics(t_old=tags("FromTags"))
    aws.answers["tag:GetResources"] = search(tagged(OLD_TOPIC, "FromSearch"))
    assert [r.id for r, _ in Finder(aws, Graph((RULE,)), "mine", pointers=True).find(wanted)] == ["FromTags"]


def test_what_a_leftover_names_is_looked_at_too_and_nothing_twice() -> None:
    """A topic without the rule that feeds it would go alone; what is wanted is no leftover, whoever names it."""
    aws = topics(t_old=tags("OldTopic"), t=tags("UrgentTopic"))
    aws.answers |= {
        "tag:GetResources": search(tagged(OLD_TOPIC, "OldTopic")),
        "events:ListRuleNamesByTarget": lambda p: {"RuleNames": ["r-old"] if p["TargetArn"] == OLD_TOPIC else []},
        "events:ListTagsForResource": {"Tags": listed(tags("OldRule"))},
        "events:ListTargetsByRule": {"Targets": [{"Id": "shnotify", "Arn": TOPIC_ARN}]},
    }
    found = Finder(aws, Graph((TOPIC,)), "mine", pointers=False).find({"UrgentTopic": Live(TOPIC, {"Arn": TOPIC_ARN})})
    assert [(r.id, r.arn) for r, _ in found] == [("OldTopic", OLD_TOPIC), ("OldRule", OLD_RULE)]
    assert aws.operations.count("events:ListTagsForResource") == 1


def test_what_may_be_the_wanted_one_itself_is_no_leftover() -> None:
    aws = topics(t_new=tags("UrgentTopic"), t_old=tags("CalmTopic"))
    aws.answers["tag:GetResources"] = search(tagged(TOPIC_ARN + "-new", "UrgentTopic"), tagged(OLD_TOPIC, "CalmTopic"))
    found = Finder(aws, Graph((TOPIC,)), "mine", pointers=False).find({"UrgentTopic": Unreadable(AwsError("x"))})
    assert [r.id for r, _ in found] == ["CalmTopic"]


def topics_with_search() -> Any:
    aws = topics(t_old=tags("OldTopic"))
    aws.answers["tag:GetResources"] = search()
    return aws


def test_all_is_asked_early_and_a_refusal_is_kept_for_the_search_itself() -> None:
    answers: dict[str, Answer] = {"tag:GetResources": search(), "events:ListRuleNamesByTarget": {"RuleNames": []}}
    for pointers, expected in ((False, []), (True, [TOPIC_ARN])):
        aws = scripted(answers)
        finder = Finder(aws, Graph((QUEUE, TOPIC)), "mine", pointers=pointers)
        finder.prepare()
        assert [p["TargetArn"] for o, p in aws.sent if o == "events:ListRuleNamesByTarget"] == expected
        assert aws.operations.count("tag:GetResources") == 1
        finder.find({"UrgentTopic": Live(TOPIC, {"Arn": TOPIC_ARN})})
        assert len(aws.sent) == len(expected) + 1
    aws = scripted(dict.fromkeys(answers, "AccessDenied"))
    finder = Finder(aws, Graph((TOPIC,)), "mine", pointers=True)
    finder.prepare()
    with pytest.raises(AwsError):
        finder.find({})


@pytest.mark.parametrize(
    ("arn", "companions"),
    [
        (FUNCTION_ARN, [ROLE_ARN, LOGS_ARN]),
        (LOGS_ARN, [ROLE_ARN]),
        (TOPIC_ARN, []),
        ("arn:aws:lambda", []),
        ("", []),
    ],
)
def test_what_a_function_leaves_beside_it(arn: str, companions: list[str]) -> None:
    found = at(arn)
    assert list(found.companions() if found else ()) == companions


def test_a_leftover_log_groups_role_is_looked_for_and_a_wanted_ones_is_not() -> None:
    answers: dict[str, Answer] = {
        "tag:GetResources": search(tagged(LOGS_ARN + ":*", "UrgentLogs")),
        "logs:DescribeLogGroups": {"logGroups": [{"logGroupName": "/aws/lambda/f"}]},
        "logs:ListTagsForResource": {"tags": tags("UrgentLogs")},
        "iam:GetRole": {"Role": {"RoleName": "f-eu-west-1", "Arn": ROLE_ARN, "Tags": listed(tags("UrgentRole"))}},
    }
    found = Finder(scripted(answers), Graph(()), "mine", pointers=False).find({})
    assert [r.id for r, _ in found] == ["UrgentRole", "UrgentLogs"]
    logs = LogGroup(
        id="UrgentLogs", log_group_name="/aws/lambda/f", log_group_arn=LOGS_ARN, retention_in_days=1, tags=Tags()
    )
    aws = scripted(answers)
    assert Finder(aws, Graph((logs,)), "mine", pointers=False).find({}) == ()
    assert aws.operations == ["tag:GetResources"]


# -- subscribers -------------------------------------------------------------------------------------------------------


def test_confirmed_subscribers_that_are_not_in_the_file_are_left_over_when_it_says_so() -> None:
    removing = replace(TOPIC, remove_unlisted=True)
    other = replace(TOPIC, id="CalmTopic", topic_arn=OLD_TOPIC)
    listed_one = Subscription(id="S1", topic_arn=removing.ref("Arn"), protocol="email", endpoint="Me@example.com")
    elsewhere = Subscription(id="S2", topic_arn=other.ref("Arn"), protocol="sqs", endpoint="q")
    entries = [
        subscribed("arn:1", "email", "me@example.com"),
        subscribed("PendingConfirmation", "email", "you@example.com"),
        subscribed("Deleted", "email", "they@example.com"),
        subscribed("arn:4", "sqs", "q"),
    ]
    aws = scripted({"sns:ListSubscriptionsByTopic": {"Subscriptions": entries}, "tag:GetResources": search()})
    graph = Graph((QUEUE, other, removing, listed_one, elsewhere))
    found = Finder(aws, graph, "mine", pointers=False).find({})
    stray = Subscription(
        id=Subscription.id_for("UrgentTopic", "sqs", "q"), topic_arn=removing.ref("Arn"), protocol="sqs", endpoint="q"
    )
    assert found == ((stray, Live(stray, {"Arn": "arn:4", "State": "confirmed"})),)
    asked = [params for operation, params in aws.sent if operation == "sns:ListSubscriptionsByTopic"]
    assert asked == [{"TopicArn": TOPIC_ARN}]
    aws = scripted({"sns:ListSubscriptionsByTopic": "NotFound"})
    assert list(removing.surplus(aws, graph)) == []
