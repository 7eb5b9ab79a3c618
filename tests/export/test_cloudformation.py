"""The CloudFormation template says exactly what `apply` makes, and the linter of CloudFormation has nothing to say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.api import lint
from hypothesis import given, settings
from hypothesis import strategies as st

from shnotify import cli
from shnotify.arns import Scope
from shnotify.config.load import completed
from shnotify.config.models import Config
from shnotify.config.yamlfile import parse
from shnotify.engine.resource import Resource
from shnotify.engine.values import Pattern, Policy
from shnotify.errors import UsageError
from shnotify.export.cloudformation import BUCKET_BYTES, INLINE_BYTES, archives, as_json, as_yaml, template
from shnotify.notifier.desired import build
from shnotify.resources.function import Function
from tests.conftest import SMALLEST
from tests.support.templates import filled

SCOPE = Scope("aws", "ap-northeast-1", "123456789012")
SMALL = SMALLEST.replace("eu-west-1", SCOPE.region)
KEY = f"arn:aws:kms:{SCOPE.region}:{SCOPE.account}:key/0b1c2d3e-0000-4000-8000-000000000000"
LAMBDA = SMALL + "    message: {format: lambda, language: ja}\n"
FILES = {
    "smallest": SMALL,
    "json": SMALL + "    message: {format: json}\n",
    "lambda": LAMBDA,
    "two routes": LAMBDA + "  - {name: digest, source: hub, subscribers: [a@example.com]}\n",
    "no encryption": SMALL + "encryption: false\n",
    "no queue": SMALL + "dead_letter_queue: false\n",
    "existing keys": SMALL + f"encryption: {{topic_key: {{arn: '{KEY}'}}, dlq_key: {{arn: '{KEY}'}}}}\n",
    "raw pattern": SMALL + "    pattern: {source: [aws.securityhub]}\n",
    "both": SMALL + "    source: both\n",
    "disabled": SMALL + "    rule: {enabled: false}\n",
    "webhook": SMALL.replace("secops@example.com", "{protocol: https, endpoint: 'https://example.com/hook'}"),
    "watchdog": SMALL + "watchdog: {subscribers: [oncall@example.com], heartbeat: weekly}\n",
    "folding": SMALL + "    message: {format: lambda, fold: {window: 1m, after: 5}}\n",
    "japanese": SMALL
    + "    topic: {display_name: 警報}\n    rule: {description: 重大な検出結果}\ntags: {Owner: 情報}\n",
    "products": SMALL + "    findings: {products: [guardduty], exclude: {accounts: ['111122223333']}}\n",
}


def config(text: str) -> Config:
    return completed(parse(text)).settled()


def known(made: dict[str, Any], wanted: Config) -> dict[str, str]:
    """What CloudFormation knows once everything stands: parameters, pseudo parameters, ARNs."""
    found = {name: f"name-of-{name}" for name in made["Resources"]}
    found |= {name: str(entry.get("Default", "")) for name, entry in made["Parameters"].items()}
    found |= {
        "AWS::Partition": SCOPE.partition,
        "AWS::Region": SCOPE.region,
        "AWS::AccountId": SCOPE.account,
        "AWS::StackName": "alerts",
    }
    for thing in build(wanted, SCOPE):
        found[thing.id] = arn_of(thing)
        found |= {f"{thing.id}.{name}": arn_of(thing) for name in ("Arn", "TopicArn")}
    return found


def arn_of(thing: Resource) -> str:
    return thing.arn or f"arn:of:{thing.id}"


def as_made(thing: Resource) -> dict[str, Any]:
    """The properties as `apply` sends them, with plain values."""
    values = thing.resolved({f"{name}.Arn": f"arn:of:{name}" for name in ("TopicKey", "DlqKey")})
    every = {f"{t}.Arn": v for t, v in ARNS.items()}
    return {name: plain(value) for name, value in values.resolved(every).properties().items()}


ARNS: dict[str, str] = {}


def plain(value: Any) -> Any:
    return value.document if isinstance(value, Policy | Pattern) else value


@pytest.mark.parametrize("name", FILES)
def test_the_linter_has_nothing_to_say(name: str) -> None:
    made = template(config(FILES[name]))
    assert [str(found) for found in lint(as_yaml(made))] == []
    assert as_yaml(made).isascii()
    assert yaml.safe_load(as_yaml(made)) == json.loads(as_json(made)) == made
    assert len(as_json(made)) < INLINE_BYTES


def routes(count: int, more: str = "") -> str:
    lines = (
        f"  - {{name: team-{n}, findings: {{accounts: ['{n:012}']}}, subscribers: [t{n}@example.com]{more}}}\n"
        for n in range(count)
    )
    return f"name: security-alerts\nregion: {SCOPE.region}\nroutes:\n" + "".join(lines)


def test_sixty_routes_are_one_template_from_a_bucket(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "shnotify.yaml"
    file.write_text(routes(60))
    assert cli.run(["export", "cloudformation", "-c", str(file)]) == 0
    ran = capsys.readouterr()
    assert INLINE_BYTES < len(ran.out) < BUCKET_BYTES
    assert "beyond 51,200 CloudFormation takes it from a bucket only" in ran.err
    assert [str(found) for found in lint(ran.out)] == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (routes(60, ", message: {format: lambda}"), "546 resources, and CloudFormation takes 500"),
        (routes(60).replace(": [t", ": [a@example.com, b@example.com, c@example.com, t"), "240 parameters"),
    ],
)
def test_more_than_a_template_declares_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        template(config(text))


ROUTES = st.fixed_dictionaries(
    {
        "name": st.just("urgent"),
        "source": st.sampled_from(["cspm", "hub", "both"]),
        "message": st.sampled_from([{"format": "summary"}, {"format": "json"}, {"format": "lambda", "resolved": True}]),
        "findings": st.sampled_from([{}, {"severity": ["LOW"]}, {"accounts": ["111122223333"], "record_state": "any"}]),
        "retry": st.sampled_from([{}, {"max_attempts": 0, "max_age": "1m"}]),
        "subscribers": st.lists(
            st.sampled_from(["a@example.com", {"protocol": "https", "endpoint": "https://example.com/h"}]),
            unique_by=str,
        ),
    }
)
WHOLE = st.fixed_dictionaries(
    {
        "name": st.just("alerts"),
        "region": st.just(SCOPE.region),
        "tags": st.sampled_from([{}, {"Owner": "security-team"}]),
        "encryption": st.sampled_from([False, {}, {"topic_key": {"rotation": False, "deletion_window": "7d"}}]),
        "dead_letter_queue": st.sampled_from([False, {}, {"retention": "14d", "undelivered_mail": False}]),
        "routes": st.tuples(ROUTES),
    }
)


def lints(file: dict[str, Any]) -> list[str]:
    return [str(found) for found in lint(as_yaml(template(config(json.dumps(file)))))]


@given(WHOLE)
@settings(max_examples=4, deadline=None)
def test_nor_of_any_other_file(file: dict[str, Any]) -> None:
    assert lints(file) == []


@pytest.mark.full
@pytest.mark.timeout(1800)
@given(WHOLE)
@settings(max_examples=80, deadline=None)
def test_nor_of_many_others(file: dict[str, Any]) -> None:
    assert lints(file) == []


@pytest.mark.parametrize("name", FILES)
def test_the_template_holds_what_apply_makes(name: str) -> None:
    wanted = config(FILES[name])
    made = template(wanted)
    values = known(made, wanted)
    graph = build(wanted, SCOPE)
    ARNS.clear()
    ARNS.update({thing.id: arn_of(thing) for thing in graph})
    for thing in graph:
        entry = made["Resources"][thing.id]
        have = filled(entry["Properties"], values)
        assert entry["Type"] == thing.CFN
        for path, value in as_made(thing).items():
            _compare(thing, path, value, have, filled(made["Resources"], values))


def _compare(thing: Resource, path: str, value: Any, have: dict[str, Any], entries: dict[str, Any]) -> None:
    """One property of a resource, wherever CloudFormation keeps it."""
    match path:
        case "Tags":
            tagged = have if "Tags" in have else entries[f"{thing.id}Group"]["Properties"]
            theirs = {tag["Key"]: tag["Value"] for tag in tagged["Tags"]}
            assert theirs == value.to_dict() | {"managed-by": "cloudformation", "shnotify:stack": "alerts"}
        case "AliasName":
            alias = entries[f"{thing.id}Alias"]["Properties"]
            assert alias == {"AliasName": value, "TargetKeyId": arn_of(thing)}
        case "PolicyDocument" if isinstance(thing, Function):
            assert entries[f"{thing.id}Permission"]["Properties"] == {
                "Action": "lambda:InvokeFunction",
                "FunctionName": arn_of(thing),
                "Principal": "events.amazonaws.com",
                "SourceArn": value["Statement"][0]["Condition"]["ArnLike"]["AWS:SourceArn"],
            }
        case "PolicyDocument":
            policy = entries[f"{thing.id}Policy"]["Properties"]["PolicyDocument"]
            assert Policy(policy).onto(Policy({})) == Policy(value | {"Version": "2012-10-17"})
        case "RuleName":
            assert have["Name"] == value
        case "Targets":
            assert have["Targets"] == [{"Id": "shnotify", **value}]
        case "Policies":
            assert have["Policies"] == [{"PolicyName": "shnotify", "PolicyDocument": value}]
        case "CodeSha256":
            assert have["Code"]["S3Key"].startswith("shnotify/security-alerts-urgent-formatter-")
        case "EventInvokeConfig":
            retries = entries[f"{thing.id}Retries"]["Properties"]
            assert retries["MaximumRetryAttempts"] == value["MaximumRetryAttempts"]
            assert retries["DestinationConfig"]["OnFailure"]["Destination"] == value["OnFailure"]
        case "ScheduleName":
            assert have["Name"] == value
        case _:
            assert have[path] == (list(value) if isinstance(value, tuple) else value), (thing.id, path)


def test_nothing_matches_before_its_permissions_are_there() -> None:
    made = template(config(LAMBDA))["Resources"]
    assert made["UrgentRule"]["DependsOn"] == [
        "DlqPolicy",
        "UrgentFormatterRetries",
        "UrgentFormatterPermission",
    ]
    assert template(config(SMALL))["Resources"]["UrgentRule"]["DependsOn"] == ["DlqPolicy", "UrgentTopicPolicy"]


def test_keys_and_the_queue_outlive_the_stack() -> None:
    made = template(config(SMALL))["Resources"]
    kept = {name for name, entry in made.items() if entry.get("DeletionPolicy") == "RetainExceptOnCreate"}
    assert kept == {"TopicKey", "DlqKey", "Dlq"}


def test_an_address_is_a_parameter_with_the_files_address() -> None:
    made = template(config(SMALL))
    (name,) = made["Parameters"]
    assert made["Parameters"][name]["Default"] == "secops@example.com"
    assert made["Resources"][name.removesuffix("Endpoint")]["Properties"]["Endpoint"] == {"Ref": name}


def test_no_account_region_or_partition_is_written_out() -> None:
    text = as_json(template(config(FILES["two routes"])))
    assert "arn:aws" not in text
    assert SCOPE.account not in text
    assert SCOPE.region not in text.replace("security-alerts-urgent", "")


def test_one_archive_serves_every_account() -> None:
    (key,) = archives(config(LAMBDA))
    (function,) = [thing for thing in build(config(LAMBDA), SCOPE) if isinstance(thing, Function)]
    assert archives(config(LAMBDA)) == {key: function.zip_file}
    assert template(config(LAMBDA))["Parameters"]["UrgentFormatterCodeKey"]["Default"] == key


@given(text=st.text("${}!AWS:Region.TopicKey x", max_size=30))
@settings(max_examples=150, deadline=None)
def test_a_text_that_looks_like_a_reference_stays_text(text: str) -> None:
    written = json.dumps(f"d{text}")
    wanted = config(SMALL + f"    rule: {{description: {written}}}\n    findings: {{accounts: ['{SCOPE.account}']}}\n")
    made = template(wanted)
    have = filled(made["Resources"]["UrgentRule"]["Properties"], known(made, wanted))
    assert have["Description"] == f"d{text}"


def test_a_role_name_that_needs_the_region_asks_for_it() -> None:
    long = LAMBDA.replace("security-alerts", "a" * 40).replace(f"region: {SCOPE.region}\n", "")
    with pytest.raises(UsageError, match="digest of the Region"):
        template(config(long))


def test_yaml_and_json_say_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "shnotify.yaml"
    file.write_text(LAMBDA)
    assert cli.run(["export", "cloudformation", "-c", str(file), "--code-dir", str(tmp_path / "code")]) == 0
    as_text = capsys.readouterr()
    assert cli.run(["export", "cloudformation", "-c", str(file), "-o", "json"]) == 0
    assert yaml.safe_load(as_text.out) == json.loads(capsys.readouterr().out)
    (key,) = archives(config(LAMBDA))
    assert (tmp_path / "code" / key).read_bytes() == archives(config(LAMBDA))[key]
    assert f"upload it as s3://BUCKET/{key}" in as_text.err


def test_an_error_is_one_json_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "shnotify.yaml"
    file.write_text("name: X\n")
    assert cli.run(["export", "cloudformation", "-c", str(file), "-o", "json"]) == 2
    assert json.loads(capsys.readouterr().out)["errors"]
