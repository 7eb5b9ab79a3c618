"""What many notifiers end with together."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shnotify.arns import Scope
from shnotify.config.advice import advice
from shnotify.config.load import Loaded, completed
from shnotify.config.rules import count_of_guarded
from shnotify.config.yamlfile import parse
from shnotify.notifier.fleet import collisions, crowded, in_a_line, worst
from shnotify.notifier.hubcheck import mailed_elsewhere
from shnotify.notifier.inquiry import Answers

CODES = [1, 129, 130, 143, 2, 4, 3, 0]


@given(st.lists(st.sampled_from(CODES), min_size=1))
def test_the_worst_code_is_told(codes: list[int]) -> None:
    assert worst(codes) == min(codes, key=CODES.index)


def test_none_at_all_is_well() -> None:
    assert worst([]) == 0


@pytest.mark.parametrize(
    ("document", "line"),
    [
        ({"error": {"message": "no"}, "actions": []}, "FAILED: no"),
        ({"routes": ["a", "b"]}, "valid, 2 routes"),
        ({"links": [{"id": "hub", "verdict": "broken"}, {"id": "rule", "verdict": "ok"}]}, "broken: hub"),
        ({"links": [{"id": "rule", "verdict": "unknown"}]}, "nothing broken"),
        ({"actions": [{"action": "none", "result": "done"}], "error": None}, "nothing to do"),
        (
            {"actions": [{"action": "create", "result": "done"}, {"action": "create", "result": "failed"}]},
            "1 done, 1 failed",
        ),
        (
            {"resources": [{"state": "drifted"}], "delivery": [{"route": "urgent", "ok": False}]},
            "1 of 1 not in sync; cannot deliver: urgent",
        ),
    ],
)
def test_a_document_in_one_line(document: dict[str, object], line: str) -> None:
    assert in_a_line(document) == line


def wide(name: str, routes: int, more: str = "") -> Loaded:
    text = f"name: {name}\n{more}routes:\n" + "".join(
        f"  - {{name: r{number}, subscribers: [a@example.com], message: {{format: json}}}}\n"
        for number in range(routes)
    )
    document = parse(text, f"{name}.yaml")
    return Loaded(completed(document), document)


def test_a_bus_without_room_is_told_for_all_files_of_a_region_together() -> None:
    files = [wide(name, 100, "region: eu-west-1\n") for name in "abc"]
    assert crowded(files[:2]) == []
    assert [text.partition(":")[0] for text in crowded(files)] == ["eu-west-1"]
    assert crowded([*files[:2], wide("d", 100, "region: us-east-1\n")]) == []
    assert "nearly all of the 300" in crowded(files)[0]


def test_more_rules_with_wildcards_than_a_bus_takes_are_told() -> None:
    def files(count: int) -> list[Loaded]:
        documents = [parse(f"name: n{i}\nregion: eu-west-1\nroutes: [{{name: r}}]\n") for i in range(count)]
        return [Loaded(completed(document), document) for document in documents]

    each = count_of_guarded(files(1)[0].config)
    assert each > 0
    assert crowded(files(30 // each)) == []
    [warning] = crowded(files(30 // each + 1))
    assert "a bus takes 30" in warning


def test_a_region_with_fewer_rules_is_told_sooner() -> None:
    told = advice(wide("a", 95, "region: eu-south-1\n"))
    assert [text for text in told if "95 rules: nearly all of the 100" in text]
    assert not [text for text in advice(wide("a", 95, "region: eu-west-1\n")) if "rules:" in text]


def test_two_accounts_share_nothing() -> None:
    one, other = (wide("same", 1, f'account: "{number:012}"\n') for number in (1, 2))
    assert collisions([one, other]) == []
    assert [problem.path for problem in collisions([one, wide("same", 1)])] == ["name"]


REGIONS = ("eu-west-1", "us-east-1", None)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(REGIONS)), min_size=1, max_size=5))
def test_notifiers_collide_exactly_when_name_and_region_are_one(files: list[tuple[str, str | None]]) -> None:
    found = collisions([wide(name, 1, f"region: {region}\n" if region else "") for name, region in files], "eu-west-1")
    places = [(name, region or "eu-west-1") for name, region in files]
    assert bool(found) == (len(set(places)) < len(places))


def test_a_linked_region_and_a_member_account_are_told() -> None:
    scope = Scope("aws", "eu-west-1", "123456789012")
    home = {"home": "us-east-1", "mode": "ALL_REGIONS", "regions": []}
    member = Answers(admin="999999999999", aggregator={"cspm": home})
    told = mailed_elsewhere(scope, member)
    assert len(told) == 2
    assert "999999999999" in told[0]
    assert "us-east-1" in told[1]
    assert mailed_elsewhere(scope, Answers(admin="", aggregator={"cspm": {**home, "home": "eu-west-1"}})) == []
