"""The rules of a route: how many, what they are called, and what a file is told about them."""

from __future__ import annotations

from pathlib import Path

import pytest

from shnotify.config.advice import advice
from shnotify.config.load import Loaded, completed, load_file
from shnotify.config.rules import left_out, plain_routes, rules_by_route
from shnotify.config.yamlfile import parse
from shnotify.errors import ConfigError

HEAD = "name: mine\nroutes:\n"


def route(name: str, more: str = "") -> str:
    return f"  - name: {name}\n    subscribers: [{name}@example.com]\n{more}"


def loaded(tmp_path: Path, text: str) -> Loaded:
    path = tmp_path / "file.yaml"
    path.write_text(text, encoding="utf-8")
    return load_file(path)


def names(text: str) -> list[str]:
    config = completed(parse(HEAD + text)).settled()
    return [rule.name for rules in rules_by_route(config).values() for rule in rules]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", ["mine-urgent", "mine-urgent-plain"]),
        ("    source: hub\n", ["mine-urgent", "mine-urgent-plain"]),
        (
            "    source: both\n",
            ["mine-urgent", "mine-urgent-plain", "mine-urgent-hub", "mine-urgent-hub-plain"],
        ),
        ("    source: both\n    message: {fields: [severity]}\n", ["mine-urgent", "mine-urgent-hub"]),
        ("    message: {fields: [severity, product]}\n", ["mine-urgent"]),
        ("    message: {fields: [finding_id]}\n", ["mine-urgent", "mine-urgent-plain"]),
        ("    message: {format: json}\n", ["mine-urgent"]),
        ("    source: both\n    message: {format: lambda}\n", ["mine-urgent"]),
        ("    pattern: {source: [a]}\n", ["mine-urgent"]),
        ("    rule: {name: BBBBB}\n", ["BBBBB", "BBBBB-plain"]),
    ],
)
def test_which_rules_a_route_has(more: str, expected: list[str]) -> None:
    assert names(route("urgent", more)) == expected


def test_a_long_name_stays_within_64_characters() -> None:
    first, second = names(route("urgent", f"    rule: {{name: {'a' * 64}}}\n"))
    assert (len(first), len(second)) == (64, 64)
    assert first != second


def test_a_second_rule_of_anothers_name_is_an_error() -> None:
    text = HEAD + route("urgent") + route("urgent-plain")
    with pytest.raises(ConfigError) as caught:
        completed(parse(text))
    [problem] = caught.value.problems
    assert problem.path == "routes[0].rule.name"
    assert "'mine-urgent-plain'" in problem.message
    assert completed(parse(HEAD + route("urgent", "    message: {format: json}\n") + route("urgent-plain")))


def test_ten_routes_have_two_rules_and_the_others_are_told(tmp_path: Path) -> None:
    file = loaded(tmp_path, HEAD + "".join(route(f"r{number}") for number in range(12)))
    plain = plain_routes(file.config)
    assert sorted(plain) == ["r10", "r11"]
    told = [line for line in advice(file) if "its mails go without title and resource" in line]
    assert len(told) == 2
    assert "routes[10].name" in told[0]
    rules = rules_by_route(file.config)
    assert [len(rules[f"r{number}"]) for number in range(12)] == [2] * 10 + [1] * 2
    assert rules["r10"][0].pattern == rules["r10"][0].whole
    assert "title, resource and id" in rules["r10"][0].part.transformer["InputTemplate"]  # type: ignore[index]


def test_a_route_of_both_services_counts_twice() -> None:
    text = HEAD + "".join(route(f"r{number}", "    source: both\n") for number in range(6))
    assert sorted(plain_routes(completed(parse(text)))) == ["r5"]


def test_a_pattern_that_would_be_too_long_has_one_rule(tmp_path: Path) -> None:
    accounts = ", ".join(f'"{100000000000 + number}"' for number in range(80))
    file = loaded(tmp_path, HEAD + route("urgent", f"    findings: {{accounts: [{accounts}]}}\n"))
    [(name, reason)] = plain_routes(file.config).items()
    assert (name, "characters, of 2,048" in reason) == ("urgent", True)
    assert any("its mails go without title and resource: the pattern" in line for line in advice(file))


def test_a_pattern_of_too_many_combinations_has_one_rule() -> None:
    products = ", ".join(f"p{number}/x{number}: [{level}]" for number, level in enumerate(LEVELS))
    text = HEAD + route("urgent", f"    findings: {{products: {{{products}}}}}\n    message: {{fields: {FIELDS}}}\n")
    [(_, reason)] = plain_routes(completed(parse(text))).items()
    assert "too complex" in reason or "characters, of" in reason


LEVELS = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "CRITICAL, HIGH", "HIGH, LOW", "LOW, MEDIUM")
FIELDS = "[title, resource_id, account_name, product_name, control, description, resource_type]"


def test_a_field_that_the_filter_stands_on_is_left_out_and_told(tmp_path: Path) -> None:
    file = loaded(tmp_path, HEAD + route("urgent", "    findings: {resource_ids: [arn:aws:s3:::b]}\n"))
    assert left_out(file.config, file.config.routes[0]) == {"resource_id"}
    [told] = [line for line in advice(file) if "its mails go without resource_id" in line]
    assert "routes[0].findings" in told
    first, _ = rules_by_route(file.config)["urgent"]
    assert "Resource:" not in first.part.transformer["InputTemplate"]  # type: ignore[index]
    assert first.pattern["detail"]["findings"]["Resources"]["Id"] == ["arn:aws:s3:::b"]


def test_controls_go_together_with_the_guard() -> None:
    for filters in ("controls: [S3.1]", "exclude: {controls: [S3.1]}"):
        config = completed(parse(HEAD + route("urgent", f"    findings: {{{filters}}}\n")))
        assert left_out(config, config.routes[0]) == frozenset()
