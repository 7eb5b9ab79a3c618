"""The picture and the page of a diagnosis: one line a hop, the broken last, and nothing that steers who reads it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st

from shnotify.engine.health import LINKS, Link, Verdict
from shnotify.notifier.doctor import Diagnosis, Told
from shnotify.terminal.chain_page import page
from shnotify.terminal.chain_view import link_lines, picture, summary
from tests.conftest import World
from tests.support.breakages import Stack, answer, policy, put, topic
from tests.support.lifecycle import RULE

VERDICTS: tuple[Verdict, ...] = ("ok", "warning", "unknown", "broken")


def lines(found: Diagnosis, between: str = " → ") -> list[str]:
    return [line if isinstance(line, str) else line.plain for line in picture(found, between=between)]


def test_one_line_a_hop_and_the_broken_last(world: World) -> None:
    found = Stack(world).made()
    found.doctor(topic(Policy=policy()), {"events:DescribeRule": put(State="DISABLED")})
    out = world.text("doctor").out.splitlines()
    assert out[2:9] == [
        "  ok       Security Hub",
        "  BROKEN   └─ rule security-alerts-urgent: rule",
        "  BROKEN   └─ rule security-alerts-urgent-plain: rule",
        "  BROKEN      └─ topic security-alerts-urgent: topic-policy",
        "  ok             └─ email secops@example.com",
        "  ok       └─ what fails: security-alerts-dlq",
        "  ok       └─ alarms",
    ]
    loud = [line.strip() for line in out if "BROKEN" in line]
    assert loud[-3:] == [*["BROKEN   rule (urgent)"] * 2, "BROKEN   topic-policy (urgent)"]
    assert out[-1].endswith(" 3 broken. Broken: rule, topic-policy.")


def test_each_inbox_has_its_line(world: World) -> None:
    found = Stack(world).made()
    pending = {"SubscriptionArn": "PendingConfirmation", "Protocol": "email", "Endpoint": "secops@example.com"}
    stranger = {**pending, "Endpoint": "stranger@example.com"}
    found.doctor({"sns:ListSubscriptionsByTopic": answer({"Subscriptions": [pending, stranger]})})
    out = world.text("doctor").out
    assert "  BROKEN         └─ email secops@example.com (not confirmed)" in out
    assert "  warning        └─ email stranger@example.com (not confirmed)" in out


def test_a_function_is_a_hop_of_its_own(world: World) -> None:
    found = Stack(world, "    message: {format: lambda}\n").made()
    found.doctor({"lambda:GetFunction": put(Concurrency={"ReservedConcurrentExecutions": 0})})
    assert "  BROKEN      └─ function security-alerts-urgent-formatter: formatter" in world.text("doctor").out


def test_a_screen_without_lines_gets_none() -> None:
    told = Told(Link("hub", "ok"), ())
    found = Diagnosis("Security Hub", (told,), ())
    assert all(line.isascii() for line in lines(found, " -> "))


links = st.builds(
    Link,
    id=st.sampled_from(LINKS),
    verdict=st.sampled_from(VERDICTS),
    why=st.text(),
    mend=st.none() | st.text(),
    evidence=st.dictionaries(st.text(), st.text() | st.lists(st.text()), max_size=2),
    needs=st.lists(st.text(), max_size=2).map(tuple),
    resource=st.none() | st.text(),
)


class Reader(HTMLParser):
    """Collects the tags of a page, and what they would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.fetched += [name for name, _ in attrs if name in ("src", "href", "onclick", "onload")]


TAGS = {"html", "head", "meta", "title", "style", "body", "h1", "h2"}
TAGS |= {"p", "b", "ol", "li", "section", "code", "pre", "br"}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(links, st.lists(st.text(), max_size=2)), max_size=4), st.text())
def test_text_from_elsewhere_stays_text(made: list[tuple[Link, list[str]]], title: str) -> None:
    found = Diagnosis("Security Hub", tuple(Told(link, tuple(routes)) for link, routes in made), ())
    read = Reader(page(title, found))
    assert read.tags <= TAGS
    assert read.fetched == []
    for line in lines(found):
        assert "\n" not in line
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202e]", line)


@given(st.lists(st.sampled_from(VERDICTS), max_size=9))
def test_the_last_line_counts_every_link(verdicts: list[Verdict]) -> None:
    told = [Told(Link("rule", verdict), ("r",)) for verdict in verdicts]
    counted = sum(int(number) for number in re.findall(r"\d+", summary(told)))
    assert counted == len(verdicts)
    assert ("Broken: rule." in summary(told)) is ("broken" in verdicts)


def test_what_is_missing_to_look_is_said() -> None:
    link = Link("queue", "unknown", "no", needs=("sqs:GetQueueAttributes",))
    assert [line.plain for line in link_lines(link)][-1] == "      cannot tell: needs sqs:GetQueueAttributes"


def test_the_page_stands_alone(world: World) -> None:
    found = Stack(world).made()
    found.doctor(topic(Policy=policy()))
    path = world.path.with_name("report.html")
    assert world.text("doctor", "--html", str(path)).code == 4
    text = path.read_text(encoding="utf-8")
    read = Reader(text)
    assert (read.fetched, "script" in read.tags) == ([], False)
    assert re.findall("<h2>(.*?)</h2>", text) == ["From Security Hub to the inboxes", "Broken", "As it should be"]
    assert "sns:Publish" in text


def test_a_page_that_cannot_be_written_is_an_error(world: World) -> None:
    Stack(world).made().doctor()
    ran = world.run("doctor", "--html", str(world.path / "no" / "where.html"), "--rule", RULE)
    assert (ran.code, "could not be written" in ran.json["error"]["message"]) == (1, True)
