"""The file as a whole: what is refused, where, and in which words; what is allowed; the defaults made from names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.files import ROUTE, loaded, refused


def top(lines: str) -> str:
    """The smallest file with more between its name and its routes."""
    return f"name: a\n{lines}\nroutes:\n  - name: urgent\n"


def cases() -> Iterator[Any]:
    """`data/config-errors.txt`: a title, a file, and all that is said about it."""
    text = (Path(__file__).parents[1] / "data" / "config-errors.txt").read_text(encoding="utf-8")
    for case in text.split("\n=== ")[1:]:
        title, _, rest = case.partition("\n")
        file, _, said = rest.partition("--->\n")
        yield pytest.param(file, said.split("\n")[:-1], id=title)


@pytest.mark.parametrize(("text", "expected"), [*cases()])
def test_what_is_wrong_is_told(text: str, expected: list[str]) -> None:
    assert refused(text) == [line for line in expected if line]


IDS = '"123456789012", ' * 200
ALIAS = "must be alias/ and then letters, digits, / _ or -, at most 256 characters in all"
TOO_LONG: dict[str, tuple[str, str]] = {
    "routes": (f"name: a\nroutes: [{'{}, ' * 101}]\n", "2:9: routes: is too long: at most 100"),
    "a tag's key": (
        top(f"tags: {{{'k' * 129}: a}}"),
        f'2:8: tags["{"k" * 79}…"]: a tag\'s key has at most 128 characters',
    ),
    "a tag's value": (top(f"tags: {{b: {'v' * 257}}}"), "2:8: tags.b: a tag's value has at most 256 characters"),
    "an alias": (
        top(f"encryption: {{dlq_key: {{alias: alias/{'x' * 251}}}}}"),
        f"2:31: encryption.dlq_key.alias: {ALIAS}",
    ),
    "a key's description": (
        top(f"encryption: {{dlq_key: {{description: {'x' * 8193}}}}}"),
        "2:37: encryption.dlq_key.description: a description has at most 8192 characters, this has 8193",
    ),
    "a rule's description": (
        f"{ROUTE}    rule: {{description: {'x' * 513}}}\n",
        "4:25: routes[0].rule.description: a description has at most 512 characters, this has 513",
    ),
    "a value": (
        f"{ROUTE}    findings: {{types: [{'x' * 1025}]}}\n",
        "4:24: routes[0].findings.types[0]: is too long: at most 1024",
    ),
    "values": (
        f"{ROUTE}    findings: {{regions: [{'x, ' * 1001}]}}\n",
        "4:25: routes[0].findings.regions: is too long: at most 1000",
    ),
    "a pattern": (
        f"{ROUTE}    findings: {{resource_ids: [{', '.join('x' * 400 + str(i) for i in range(10))}]}}\n",
        "4:15: routes[0].findings: the event pattern has 4,262 characters; EventBridge takes at most 4,096. "
        "Shorten the lists, or split the route in two",
    ),
    "a pattern, with what lets resolved findings through": (
        f"{ROUTE}    findings: {{resource_ids: [{'x' * 930}, {'y' * 930}, {'z' * 930}, {'w' * 930}]}}\n"
        "    message: {format: lambda, resolved: true}\n",
        "4:15: routes[0].findings: the event pattern has 4,168 characters; EventBridge takes at most 4,096. "
        "Shorten the lists, or split the route in two",
    ),
    "a pattern, by far": (
        f"{ROUTE}    findings: {{resource_ids: [{', '.join(f'{i}aaaaaa' for i in range(1000))}]}}\n",
        "4:15: routes[0].findings: the lists are far too long: an event pattern has at most 4,096 characters",
    ),
    "values, and as many excluded": (
        f"{ROUTE}    findings: {{accounts: [{IDS}], exclude: {{accounts: [{IDS}]}}}}\n",
        "4:15: routes[0].findings: the lists are far too long: an event pattern has at most 4,096 characters",
    ),
    "subscribers": (
        f"{ROUTE}    subscribers: [{'a, ' * 1001}]\n",
        "4:18: routes[0].subscribers: is too long: at most 1000",
    ),
    "what is written back": (
        f"{ROUTE}    findings: {{types: {'x' * 5000}}}\n",
        f"4:23: routes[0].findings.types: must be a list, such as [{'x' * 275}…{'x' * 139}], or `any`",
    ),
    "an address": (
        f"{ROUTE}    subscribers: [x@{'a.' * 150}co]\n",
        f"4:19: routes[0].subscribers[0]: 'x@{'a.' * 38}… is not an e-mail address such as secops@example.com",
    ),
}


@pytest.mark.parametrize(("text", "expected"), TOO_LONG.values(), ids=TOO_LONG)
def test_what_is_too_long_is_told_in_short(text: str, expected: str) -> None:
    assert refused(text) == [expected]


TAKEN = [
    *(
        f"region: {name}"
        for name in ("us-east-1", "ap-northeast-3", "us-gov-west-1", "cn-north-1", "us-isob-east-1", "eusc-de-east-1")
    ),
    'account: "012345670123"',
    "tags:",
    "tags: {Owner: security team, 部署: セキュリティ, a: '', 'x:y/z': '+-=._:/@'}",
    "tags: {" + "k" * 128 + ": " + "v" * 256 + "}",
    "tags: {" + ", ".join(f"k{number}: v" for number in range(40)) + "}",
    "encryption: {topic_key: {deletion_window: 7d}, dlq_key: {deletion_window: 720h}}",
    "encryption: {topic_key: {rotation: false, alias: alias/" + "x" * 250 + ", description: ''}}",
    *(
        f"encryption: {{topic_key: {{arn: 'arn:{part}:123456789012:key/a-b'}}}}"
        for part in ("aws:kms:us-east-1", "aws-cn:kms:cn-north-1", "aws-iso-f:kms:us-isof-east-1")
    ),
    "dead_letter_queue: {visibility_timeout: 0, retention: 60, delivery_delay: 0, max_message_size: 1KiB}",
    "dead_letter_queue: {visibility_timeout: 12h, retention: 14d, delivery_delay: 15m, max_message_size: 1MiB}",
    "dead_letter_queue: {receive_wait_time: 0s, data_key_reuse: 1m, name: " + "q" * 80 + "}",
    "dead_letter_queue: {receive_wait_time: 20, data_key_reuse: 24h, max_message_size: 1024B}",
]


@pytest.mark.parametrize("lines", TAKEN)
def test_the_edges_are_taken(lines: str) -> None:
    assert refused(top(lines)) == []


def test_forty_one_tags_are_too_many() -> None:
    tags = ", ".join(f"k{number}: v" for number in range(41))
    assert refused(top(f"tags: {{{tags}}}")) == ["2:7: tags: is too long: at most 40"]


@pytest.mark.parametrize("section", ["encryption", "dead_letter_queue"])
def test_a_section_can_be_left_out_switched_on_and_off(section: str) -> None:
    default = loaded(ROUTE)
    assert getattr(default, section) is not None
    for value in ("", "true", "{}", "null"):
        assert loaded(top(f"{section}: {value}")) == default
    assert getattr(loaded(top(f"{section}: false")), section) is None


@pytest.mark.parametrize("value", ["", "true", "{}", "null"])
def test_a_key_can_be_left_to_its_defaults(value: str) -> None:
    assert loaded(top(f"encryption: {{topic_key: {value}}}")) == loaded(ROUTE)


def test_names_make_the_defaults() -> None:
    config = loaded("name: acme\nroutes:\n  - name: urgent\n  - name: day-time\n    topic: {display_name: x}\n")
    assert config.encryption is not None
    assert config.dead_letter_queue is not None
    keys: list[Any] = [config.encryption.topic_key, config.encryption.dlq_key]
    assert [key.alias for key in keys] == ["alias/acme-topic", "alias/acme-dlq"]
    assert all("acme" in key.description for key in keys)
    assert config.dead_letter_queue.name == "acme-dlq"
    assert [route.topic.name for route in config.routes] == ["acme-urgent", "acme-day-time"]
    assert [route.rule.name for route in config.routes] == ["acme-urgent", "acme-day-time"]
    assert [route.id for route in config.routes] == ["Urgent", "DayTime"]
    assert "acme" in config.routes[1].rule.description
    assert "day-time" in config.routes[1].rule.description


def test_the_longest_names_make_names_that_aws_takes() -> None:
    assert refused(f"name: {'a' * 40}\nroutes:\n  - name: {'u' * 20}\n") == []


def test_an_existing_key_has_no_alias_of_ours() -> None:
    arn = "arn:aws:kms:ap-northeast-1:123456789012:key/x"
    config = loaded(top(f"encryption: {{topic_key: {{arn: '{arn}'}}}}"))
    assert config.encryption is not None
    assert vars(config.encryption.topic_key) == {"arn": arn}


def test_at_most_a_hundred_problems_are_listed() -> None:
    assert len(refused("".join(f"x{number}: 1\n" for number in range(1000)))) == 100


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(AttributeError, match="frozen"):
        loaded(ROUTE).name = "b"  # type: ignore[misc]
