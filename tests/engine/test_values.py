"""Values compare by meaning: a thousand policies written otherwise are the same, a thousand that differ are not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shnotify.engine.values import Late, Pattern, Policy, Tags, late_parts, resolve, to_json

COUNTS = pytest.mark.parametrize("count", [300, pytest.param(1000, marks=pytest.mark.full)])
"""How many examples: a sample in `make test`."""


def counted(count: int) -> settings:
    return settings(max_examples=count, derandomize=True, deadline=None)


TOPIC = "arn:aws:sns:eu-west-1:123456789012:security-alerts-urgent"


# -- policies: the rules of hashicorp/awspolicyequivalence and of Ansible's policy module (aws-facts A.26) -----------

ACCOUNTS = st.sampled_from(["123456789012", "210987654321"])
NAMES = st.sampled_from(["sns:Publish", "sns:Subscribe", "kms:Decrypt", "kms:*"])
KEYS = st.sampled_from(["aws:SourceArn", "AWS:SourceOwner", "aws:SecureTransport"])
VALUES = st.sampled_from(["a", "b", "true", "false", "7"])
FOREIGN = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Deny"]),
        "Principal": st.one_of(
            st.just({"AWS": ["*"]}), st.builds(lambda a: {"AWS": a}, st.lists(ACCOUNTS, min_size=1, unique=True))
        ),
        "Action": st.lists(NAMES, min_size=1, unique=True),
        "Resource": st.lists(st.sampled_from(["*", TOPIC]), min_size=1, unique=True),
    },
    optional={
        "Sid": st.sampled_from(["Theirs", "Mine", "X1"]),
        "Condition": st.dictionaries(
            st.sampled_from(["StringEquals", "Bool"]),
            st.dictionaries(KEYS, st.lists(VALUES, min_size=1, unique=True), min_size=1),
            min_size=1,
        ),
    },
)


def one_or_list(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values[::-1]


def plain(value: str) -> Any:
    return {"true": True, "false": False, "7": 7}.get(value, value)


def written_otherwise(statement: dict[str, Any]) -> dict[str, Any]:
    """A statement that means the same, as AWS may hand it back."""
    who = statement["Principal"]["AWS"]
    found = {
        **statement,
        "Effect": statement["Effect"].lower(),
        "Principal": "*" if who == ["*"] else {"AWS": one_or_list([f"arn:aws:iam::{a}:root" for a in who])},
        "Action": one_or_list([a.upper() for a in statement["Action"]]),
        "Resource": one_or_list(statement["Resource"]),
    }
    if "Condition" in statement:
        found["Condition"] = {
            operator: {key.upper(): one_or_list([plain(v) for v in values]) for key, values in keys.items()}
            for operator, keys in statement["Condition"].items()
        }
    return dict(reversed(found.items()))


@COUNTS
def test_a_policy_that_means_the_same_is_no_drift(count: int) -> None:
    @counted(count)
    @given(st.lists(FOREIGN, max_size=4))
    def each(statements: list[dict[str, Any]]) -> None:
        other = {"Statement": [written_otherwise(s) for s in reversed(statements)], "Version": "2012-10-17"}
        assert Policy({"Version": "2012-10-17", "Statement": statements}) == Policy(other)

    each()


@COUNTS
def test_a_policy_that_means_something_else_is_a_drift(count: int) -> None:
    @counted(count)
    @given(
        st.lists(FOREIGN, max_size=3), FOREIGN, st.sampled_from(["Effect", "Action", "Resource", "Principal", "Sid"])
    )
    def each(statements: list[dict[str, Any]], one: dict[str, Any], part: str) -> None:
        change = {
            "Effect": "Deny" if one["Effect"] == "Allow" else "Allow",
            "Action": [*one["Action"], "sns:ListTopics"],
            "Resource": [*one["Resource"], TOPIC + "x"],
            "Principal": {"AWS": "000000000000"},
            "Sid": "Another",
        }[part]
        assert Policy({"Statement": [*statements, one]}) != Policy({"Statement": [*statements, one | {part: change}]})
        assert Policy({"Statement": [*statements, one]}) != Policy({"Statement": statements})

    each()


@COUNTS
def test_foreign_statements_stay_in_their_order_and_ours_stand_once(count: int) -> None:
    @counted(count)
    @given(st.lists(FOREIGN, max_size=4), st.lists(st.sampled_from(["theirs", "ours", "old"]), max_size=6))
    def each(foreign: list[dict[str, Any]], mixed: list[str]) -> None:
        ours = {"Sid": "AWS Events", "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "x"}
        kinds: dict[str, dict[str, Any]] = {"theirs": {"Sid": "T"}, "ours": ours, "old": {"Sid": "AWS Events"}}
        live = [*foreign, *(kinds[kind] for kind in mixed)]
        wanted = Policy({"Version": "2012-10-17", "Statement": [ours]}, frozenset({"AWS Events"}))
        merged = wanted.onto(Policy({"Version": "2008-10-17", "Id": "theirs", "Statement": live})).document
        assert [s for s in merged["Statement"] if s != ours] == [s for s in live if s.get("Sid") != "AWS Events"]
        assert merged["Statement"].count(ours) == 1
        if live:
            assert (merged["Version"], merged["Id"]) == ("2008-10-17", "theirs")

    each()


STATEMENT: dict[str, Any] = {
    "Sid": "One",
    "Effect": "Allow",
    "Principal": {"AWS": ["123456789012"], "Service": ["a.amazonaws.com", "b.amazonaws.com"]},
    "Action": ["sns:Publish", "sns:Subscribe"],
    "Resource": ["*", TOPIC],
    "Condition": {"StringEquals": {"aws:SourceOwner": ["1", "2"]}, "Bool": {"aws:SecureTransport": ["true"]}},
}


def policy(statement: Any, **more: Any) -> Policy:
    return Policy({"Version": "2012-10-17", "Statement": statement, **more})


SAME: dict[str, dict[str, Any]] = {
    "the order of actions": {"Action": ["sns:Subscribe", "sns:Publish"]},
    "the case of actions": {"Action": ["SNS:Publish", "SNS:Subscribe"]},
    "an action twice": {"Action": ["sns:Publish", "sns:Subscribe", "SNS:publish"]},
    "the order of resources": {"Resource": [TOPIC, "*"]},
    "the order of principals": {
        "Principal": {"Service": ["b.amazonaws.com", "a.amazonaws.com"], "AWS": "123456789012"}
    },
    "the root's ARN": {
        "Principal": {
            "AWS": "arn:aws-cn:iam::123456789012:root",
            "Service": ["a.amazonaws.com", "b.amazonaws.com"],
        }
    },
    "the case of the effect": {"Effect": "allow"},
    "booleans, numbers, key case": {
        "Condition": {"Bool": {"AWS:securetransport": True}, "StringEquals": {"AWS:SOURCEOWNER": [2, 1]}}
    },
}
OTHER: dict[str, dict[str, Any]] = {
    "another Sid": {"Sid": "one"},
    "another effect": {"Effect": "Deny"},
    "an action less": {"Action": "sns:Publish"},
    "another resource": {"Resource": ["*", TOPIC.lower() + "x"]},
    "the case of a resource": {"Resource": ["*", TOPIC.upper()]},
    "NotAction": {"NotAction": "sns:Publish"},
    "NotResource": {"NotResource": "x"},
    "NotPrincipal": {"NotPrincipal": "*"},
    "everybody": {"Principal": "*"},
    "a user of the account": {"Principal": {**STATEMENT["Principal"], "AWS": "arn:aws:iam::123456789012:user/root"}},
    "an account of eleven digits": {"Principal": {**STATEMENT["Principal"], "AWS": "12345678901"}},
    "a kind of principal less": {"Principal": {"AWS": "123456789012"}},
    "another operator": {"Condition": {"StringLike": STATEMENT["Condition"]["StringEquals"]}},
    "no condition": {"Condition": {}},
    "the case of a condition's value": {
        "Condition": {**STATEMENT["Condition"], "Bool": {"aws:SecureTransport": "True"}}
    },
    "a condition that is none": {"Condition": "x"},
    "a principal that is none": {"Principal": "x"},
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_a_statement_written_otherwise_is_the_same(change: dict[str, Any]) -> None:
    assert policy([STATEMENT]) == policy(STATEMENT | change)
    assert hash(policy([STATEMENT])) == hash(policy(STATEMENT | change)) != hash(policy([]))


@pytest.mark.parametrize("change", OTHER.values(), ids=OTHER)
def test_a_statement_that_says_something_else_is_another(change: dict[str, Any]) -> None:
    assert policy([STATEMENT]) != policy(STATEMENT | change)


@pytest.mark.parametrize("name", ["Principal", "Condition"])
def test_what_has_not_the_form_of_a_policy_is_compared_as_it_is(name: str) -> None:
    assert policy(STATEMENT | {name: "x"}) != policy(STATEMENT | {name: "y"})
    assert policy(STATEMENT | {name: "x"}) == policy(STATEMENT | {name: "x"})


def test_the_order_and_the_case_of_condition_keys_mean_nothing() -> None:
    one = {"Condition": {"StringEquals": {"aws:b": "1", "AWS:a": "2"}}}
    assert policy(one) == policy({"Condition": {"StringEquals": {"aws:A": "2", "AWS:B": "1"}}})


def test_not_forms_are_compared_like_the_plain_ones() -> None:
    plain = {"NotAction": ["a:B", "c:D"], "NotResource": ["y", "x"], "NotPrincipal": {"AWS": "*"}}
    other = {"NotAction": ["C:d", "A:b"], "NotResource": ["x", "y"], "NotPrincipal": "*"}
    assert policy(plain) == policy(other)


def test_version_and_id_count_and_a_missing_version_is_the_older() -> None:
    assert Policy({"Statement": STATEMENT}) == Policy({"Version": "2008-10-17", "Statement": STATEMENT})
    assert Policy({"Statement": STATEMENT}) != policy(STATEMENT)
    assert policy(STATEMENT) != policy(STATEMENT, Id="x")
    assert policy(STATEMENT) != "a policy"
    assert Policy({}) == Policy({"Statement": []})


@pytest.mark.parametrize("text", [None, "", "{", "[]", "1", "null", '"x"'])
def test_a_text_that_is_no_policy_is_an_empty_one(text: str | None) -> None:
    assert Policy.parse(text) == Policy({})
    assert Policy.parse(text).statements == []


def test_a_policy_is_read_and_written() -> None:
    found = Policy.parse(json.dumps({"Version": "2012-10-17", "Statement": STATEMENT}))
    assert found == policy([STATEMENT])
    assert json.loads(found.to_text()) == found.document
    assert " " not in Policy({"Version": "x", "Statement": []}).to_text()
    assert policy([STATEMENT, "junk", 5]).statements == [STATEMENT]


OURS = {"Sid": "Ours", "Action": "x:Y"}


def test_ours_goes_to_the_end_or_where_it_stood() -> None:
    wanted = Policy({"Version": "2012-10-17", "Statement": [OURS]}, frozenset({"Ours", "Gone"}))
    theirs = {"Sid": "Theirs"}
    appended = wanted.onto(policy([theirs]))
    assert appended.document["Statement"] == [theirs, OURS]
    assert appended.own == wanted.own
    replaced = wanted.onto(policy([{"Sid": "Ours", "Action": "old"}, {"Sid": "Gone"}, theirs, {"Sid": "Ours"}]))
    assert replaced.document["Statement"] == [OURS, theirs]
    assert wanted.onto(Policy({"Version": "2008-10-17", "Id": "empty"})) is wanted


def test_statements_are_taken_out_by_sid_and_the_rest_stays() -> None:
    found = policy([STATEMENT, OURS], Id="x").without(frozenset({"Ours", "None"}))
    assert found.document == {"Version": "2012-10-17", "Statement": [STATEMENT], "Id": "x"}


# -- patterns ----------------------------------------------------------------------------------------------------------


def test_the_order_of_a_patterns_values_means_nothing_and_that_of_a_numeric_all() -> None:
    one = Pattern({"a": ["x", "y", None, 1], "b": {"c": [{"numeric": [">", 0, "<", 5]}]}})
    assert one == Pattern.parse('{"b":{"c":[{"numeric":[">",0,"<",5]}]},"a":[1,null,"y","x","x"]}')
    assert hash(one) == hash(Pattern.parse(one.to_text())) != hash(Pattern({}))
    assert one != Pattern({"a": ["x", "y", None, 1], "b": {"c": [{"numeric": ["<", 5, ">", 0]}]}})
    assert one != Pattern({"a": ["x", "y", None], "b": one.document["b"]})
    assert Pattern({"a": ["x"]}) != Pattern({"b": ["x"]})
    assert Pattern({"a": ["1"]}) != Pattern({"a": [1]})
    assert Pattern({"a": [True]}) != Pattern({"a": ["true"]})
    assert Pattern({"a": ["x"]}) != {"a": ["x"]}
    assert Pattern({"a": {"b": ["x"]}}) != Pattern({"a": [{"b": ["x"]}]})


def test_a_pattern_is_sent_short_and_as_it_reads() -> None:
    assert Pattern({"a": ["日本", "\n"]}).to_text() == '{"a":["日本","\\n"]}'


# -- tags --------------------------------------------------------------------------------------------------------------


def test_tags_are_pairs_without_order() -> None:
    one = Tags.of({"a": "1", "b": "2"})
    assert one == Tags.from_list([{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "1"}])
    assert one == Tags.from_list(
        [{"TagKey": "a", "TagValue": "1"}, {"TagKey": "b", "TagValue": "2"}], "TagKey", "TagValue"
    )
    assert one.to_list() == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    assert list(one.to_dict()) == ["a", "b"]
    assert (one.get("b"), one.get("c")) == ("2", None)
    assert one.onto(Tags.of({"a": "old", "theirs": "x"})) == Tags.of({"a": "1", "b": "2", "theirs": "x"})
    assert one.minus(Tags.of({"a": "1", "b": "other"})) == Tags.of({"b": "2"})


# -- what is known only after a create -----------------------------------------------------------------------------


def test_a_late_text_waits_for_all_of_its_parts() -> None:
    late = Late("${Key.Arn}/${Dlq.Url2}/${Key.Arn}")
    assert late.references() == [("Key", "Arn"), ("Key", "Arn")]
    half = Late("${Key.Arn} ${Dlq.Arn}").resolved({"Key.Arn": "k"})
    assert (half, type(half)) == ("k ${Dlq.Arn}", Late)
    assert isinstance(half, Late)
    whole = half.resolved({"Dlq.Arn": "d"})
    assert (whole, type(whole)) == ("k d", str)


def test_late_parts_are_found_and_filled_in_however_deep() -> None:
    late = Late("${Key.Arn}")
    inside = {"a": [late, {"b": (late,)}], "c": Policy({"Statement": [{"Resource": late}]}, frozenset({"x"})), "d": 5}
    assert list(late_parts(inside)) == [("Key", "Arn")] * 3
    found = resolve(inside, {"Key.Arn": "k"})
    assert found["a"][0] == "k"
    assert found["c"].document == {"Statement": [{"Resource": "k"}]}
    assert found["c"].own == {"x"}
    assert found["d"] == 5
    assert list(late_parts(resolve(inside["a"], {}))) == [("Key", "Arn")] * 2
    assert list(late_parts("${Key.Arn}")) == []


def test_values_are_shown_as_plain_data() -> None:
    shown = to_json({"a": Late("${Key.Arn}"), "b": Tags.of({"k": "v"}), "c": Pattern({"x": ["y"]}), "d": policy([])})
    assert shown == {
        "a": "(known after apply)",
        "b": {"k": "v"},
        "c": {"x": ["y"]},
        "d": {"Version": "2012-10-17", "Statement": []},
    }
    assert to_json([1, None]) == [1, None]
