"""The reader's language: texts and helps are translated, JSON never is, and no sentence of the catalogue is stale."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shnotify import cli
from shnotify.terminal import language
from tests.conftest import World
from tests.support.lifecycle import queue, rule
from tests.support.sentences import sentences

ROOT = Path(__file__).parents[2]
TEXTS = ROOT / "tests" / "data" / "texts"
ENTRIES = language.entries("ja")
SOURCE = " ".join(
    " ".join(re.sub(r'"\s*\n\s*f?"', "", path.read_text("utf-8")).split())
    for path in sorted((ROOT / "src").rglob("*.py"))
)


PLURALS = (
    *("its {count} subscription goes with it", "its {count} subscriptions go with it"),
    *("{n} invocations failed", "{n} invocation failed", "cannot tell: needs {what}"),
)
"""Put together from two pieces that say nothing alone (resources/topic.py)."""


TOLD = (
    *(
        "chain",
        "hubcheck",
        "metrics",
        "doctor",
        "rulecheck",
        "passage",
        "delivery",
        "foreign",
        "strangers",
        "countdown",
    ),
    *("subscribers", "undelivered", "watchdog", "surroundings", "words", "causes", "queuereading", "redrive"),
    *("resending", "deadletters", "flood"),
)
"""The modules of `notifier` that say what `status`, `doctor` and `dlq` show."""
TEXT_OF = (
    *(f"notifier/{name}.py" for name in TOLD),
    *(f"resources/{name}.py" for name in ("key", "alarm", "evaluation", "conditions")),
    "terminal/chain_view.py",
    *(f"commands/{name}.py" for name in ("doctor", "dlq", "_dlq", "_dlq_view", "_dlq_keep", "_dlq_redrive")),
    *("commands/rollout.py", "commands/_rollout.py", "commands/_rollout_view.py", "commands/export.py"),
    *("commands/_fleet.py", "config/several.py", "notifier/fleet.py"),
    *("export/stackset.py", "export/rollout.py", "export/simulation.py"),
    *(f"aws/{name}.py" for name in ("calls", "credentials", "failures", "gateway")),
    *("cli.py", "terminal/help.py", "terminal/options.py", "terminal/results_view.py", "terminal/values_view.py"),
    *(f"commands/{name}.py" for name in ("plan", "apply", "status", "destroy", "_session", "_flow")),
    *(f"engine/{name}.py" for name in ("execute", "ownership", "plan", "teardown")),
    *(f"resources/{name}.py" for name in ("function", "keymaking", "loggroup", "mapping", "policies", "queue")),
    *(f"resources/{name}.py" for name in ("role", "rule", "schedule", "subscription", "topic")),
    *(f"notifier/{name}.py" for name in ("desired", "plain", "takers")),
    *(f"config/{name}.py" for name in ("filetext", "load", "unusual", "picture", "anchors", "yamlfile")),
)
"""And what `plan`, `apply` and `status` show, their errors too."""
PIECES = re.compile(
    r"does not let|may or may not let|"  # the middle of a sentence of chain.py
    r"X1 (went to the dead-letter queue|lost, which could not even be put into .*)|"  # a part of `went`
    r'a "quoted" word,\na line break.*|Security Hub Findings - Imported|'  # data
    r"less than an hour left|X1; EventBridge gave upX1 \(X1\)|"  # whole in another entry
    r"X1 (does not allow|may deny|may allow) itX1|which nobody .*|a key that this .*|which is X1 .*|which this call .*|"
    r"X1\. Nothing is broken\.|cannot tell more|nobody is named|; the others are in the queue|"
    r", of which X1 could not be read|(Dead letters in|Drop from|Send again from) X1 of|X1 to route X1, topic .*|"
    r"EventBridge could not use a KMS key|; X1 got mail in the last .*|"
    r"Roll-out of|with (addresses of their own|the file's addresses again)|"
    r"The notifier X1, made by shnotify\.|mails to confirm|about X1 USD \(KMS keys and alarms\)|"
    r"a stack set has at most X1 stacks|"
    r"about X1, if a stack takes X1 s \(a guess\)|"
    r"X1; AWS's says X1, ours X1|no time left: .*X1X1|no usable AWS credentialsX1: X1|a web page came backX1|"
    r"; a Region that is not enabled .*|allow X1 for the callerX1, .*|X1 KMS keyX1 at 1 USD|, X1 to give back|"
    r"X1 notifiers, and --expect names X1 planX1: nothing was done|Remove all this\?|is wrong; it should be|"
    r", and marks what it mailed NOTIFIED|, encrypted with SQS's own key|, no key of yours|writes the mailsX1|"
    r"DISABLED: lets nothing through;|what takes from X1|its X1 subscriptionX1 with it|this is not YAML: X1X1|"
    r"Enter MFA code for|explicit deny in an\? .*|(cannot be assumed by Lambda|does not have permissions)|"  # AWS's
    r"InvalidParameterValueException: .*|InvalidAttributeName: .*|Allow (EventBridge|SNS) to use the key|"
    r"Enable IAM User Permissions|Formats the mails of X1 .*|The archive's key .*|The bucket, in the stack's .*|"
    r"Who gets the alerts, by X1\.|a command asks once|(baseline|destroy|rollout apply) --dry-run|"  # not shown here
    r"\$SHNOTIFY_CONFIG, else shnotify\.yaml|"
    r"its policy lets anybody in.*|it is scheduled for deletionX1|X1: point it back to X1"
)
"""Texts that are put together with others before anybody reads them: their whole is an entry."""


@pytest.fixture(autouse=True)
def _english_afterwards() -> Iterator[None]:
    yield
    language.choose([], {})


def holes(text: str) -> list[str]:
    return sorted(re.findall(r"\{(\w+)\}", text))


def test_every_sentence_is_there_once_with_the_same_holes() -> None:
    assert len(ENTRIES) > 200
    assert len({english for english, _ in ENTRIES}) == len(ENTRIES)
    assert [english for english, japanese in ENTRIES if holes(english) != holes(japanese)] == []


@pytest.mark.parametrize("english", [english for english, _ in ENTRIES if len(english) > 20])
def test_no_sentence_is_stale(english: str) -> None:
    """Its longest stretch of words stands in the source, where a number or a plural may cut it."""
    pieces = ("Broken: {x}.", "in account {account}, {region}", "└─ {rest}", "notifiers) [y/N]")
    whole = english.endswith(pieces)
    if whole or english in PLURALS or english == "Show this message and exit.":  # click's
        return
    stretches = [part.strip(" ;:,.()") for part in re.split(r"\{\w+\}|[`'\"]|(?<=KMS keys) ", english)]
    longest = max(stretches, key=len)
    words = longest.split()
    found = longest in SOURCE or " ".join(words[: max(2, len(words) // 2)]) in SOURCE or " ".join(words[-3:]) in SOURCE
    assert found, english


@pytest.mark.parametrize(
    ("arguments", "environment", "chosen"),
    [
        (["plan"], {}, "en"),
        (["plan", "--lang", "ja"], {}, "ja"),
        (["plan", "--lang=ja"], {}, "ja"),
        (["--lang", "ja", "plan"], {}, "ja"),
        (["plan"], {"SHNOTIFY_LANG": "ja"}, "ja"),
        (["plan", "--lang", "en"], {"SHNOTIFY_LANG": "ja"}, "en"),
        (["plan"], {"SHNOTIFY_LANG": "fr"}, "en"),
        (["match", "--", "--lang", "ja"], {}, "en"),
        (["plan", "--lang"], {}, "en"),
    ],
)
def test_who_chooses(arguments: list[str], environment: dict[str, str], chosen: str) -> None:
    assert language.choose(arguments, environment) == chosen


def test_an_unknown_language_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["plan", "--lang", "fr"]) == 2
    assert "'fr' is not one of 'en', 'ja'" in capsys.readouterr().err


def test_json_stays_as_it_is(world: World) -> None:
    world.write(world.path.read_text("utf-8") + "  - name: silent\n")
    for command in (["validate"], ["plan"], ["apply"], ["status"]):
        english, japanese = world.run(*command), world.run(*command, "--lang", "ja")
        assert (english.code, english.json) == (japanese.code, japanese.json)


def english_words(text: str) -> list[str]:
    """Four plain words in a row: a sentence that nobody translated."""
    lines = (re.sub(r"`[^`]*`|\S*[/:@.]\S*", " | ", line) for line in text.splitlines())
    return [found[0] for line in lines for found in re.finditer(r"\b[a-z]{2,}(?: [a-z]{2,}){3,}", line)]


def test_what_a_person_reads(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("SHNOTIFY_LANG", "ja")
    told = [world.text("plan"), world.text("apply"), world.text("apply", "--yes"), world.text("status")]
    queue("MessageRetentionPeriod", "60")(world)
    rule(State="DISABLED")(world)
    told += [world.text("status"), world.text("destroy", "--yes")]
    text = "".join(f"{ran.out}--- stderr\n{ran.err}(exit code {ran.code})\n\n" for ran in told)
    text = re.sub(r"\d+\.\d s$", "N s", text, flags=re.MULTILINE)
    text = re.sub(r"^\S+: (?:作成中|更新中|削除中|完了)\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"[0-9a-f]{64}", "F" * 64, text)
    assert english_words(text) == []
    kept = TEXTS / "japanese-80.txt"
    if os.environ.get("GOLDEN") == "write":
        kept.write_text(text, encoding="utf-8")
    assert text == kept.read_text(encoding="utf-8")


COUNTED = "UrgentRule: in the last 24 hours 2 invocations failed"


@pytest.mark.parametrize(
    ("english", "japanese"),
    [
        (f"{COUNTED}, the last at 08:10", "UrgentRule: この 24 時間に 2 回の呼び出しが失敗、最後は 08:10"),
        (
            f"{COUNTED}, 1 event went to the dead-letter queue, the last at 08:10",
            "UrgentRule: この 24 時間に 2 回の呼び出しが失敗、1 件がデッドレターキューへ、最後は 08:10",
        ),
        (
            f"{COUNTED}, 3 events went to the dead-letter queue, "
            "2 events lost, which could not even be put into the dead-letter queue, the last at 08:10",
            "UrgentRule: この 24 時間に 2 回の呼び出しが失敗、3 件がデッドレターキューへ、"
            "2 件はデッドレターキューにも入らず失われた、最後は 08:10",
        ),
        (
            "F: in the last hour 1 run ended in an error, the last at 08:10",
            "F: この 1 時間に 1 回の実行が失敗しました。最後は 08:10",
        ),
        (
            "q holds what could not be delivered: 4 waiting, 6 in flight",
            "q に、配信できなかったものがあります: 待機 4、処理中 6",
        ),
    ],
)
def test_what_was_counted(english: str, japanese: str) -> None:
    language.choose(["--lang", "ja"], {})
    assert language.tr(english) == japanese


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["init"],
        ["validate"],
        ["plan"],
        ["apply"],
        ["status"],
        ["doctor"],
        ["dlq"],
        ["dlq", "list"],
        ["dlq", "redrive"],
        ["dlq", "purge"],
    ],
)
def test_helps(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert cli.run([*arguments, "--help", "--lang", "ja"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("使い方: shnotify")
    assert "オプション:\n" in text
    assert english_words(text) == []


def problems() -> list[str]:
    """All that is said about wrong files (`data/config-errors.txt`), without its place."""
    text = (ROOT / "tests" / "data" / "config-errors.txt").read_text("utf-8")
    return re.findall(r"^\d+:\d+: (?:[a-z_]\S*: )?(.*)$", text, re.MULTILINE)


def test_every_mistake_in_a_file_is_told_in_japanese() -> None:
    language.choose(["--lang", "ja"], {})
    assert len(problems()) > 300
    assert sorted({one for one in problems() if language.tr(one) == one}) == []


def test_a_wrong_file(world: World) -> None:
    world.write("name: A\nregoin: x\nroutes: []\n")
    said = world.text("plan", "--lang", "ja").err
    assert "2:1: regoin: 知らない項目です: 'region' のことですか?" in said
    assert english_words(said) == []


def test_errors(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["pln", "--lang", "ja"]) == 2
    said = capsys.readouterr().err
    assert said == "エラー: コマンド 'pln' はありません。plan のことですか?\n       `shnotify --help` を見てください\n"


@pytest.mark.parametrize(
    ("template", "value", "expected"),
    [
        ("この {x} に", "24 時間", "この 24 時間に"),
        ("この {x} に", "two days", "この two days に"),
        ("失敗 {x}", "なし", "失敗なし"),
        ("in {x} に", "東京 都", "in 東京 都に"),
    ],
)
def test_no_blank_between_japanese_and_what_is_filled_in(template: str, value: str, expected: str) -> None:
    assert language._filled(template, {"x": value}) == expected


def test_the_page_of_a_diagnosis(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHNOTIFY_LANG", "ja")
    world.text("apply", "--yes")
    page = world.path.with_name("page.html")
    world.text("doctor", "--html", str(page))
    text = re.sub(r"<style>.*?</style>|<pre>.*?</pre>|<code>.*?</code>", "", page.read_text("utf-8"), flags=re.DOTALL)
    assert '<html lang="ja">' in text
    assert english_words(re.sub(r"<[^>]*>", " | ", text)) == []


def test_a_stream_that_carries_ascii_only_gets_english(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (tmp_path / "out").open("w", encoding="ascii") as stream:
        monkeypatch.setattr("sys.stdout", stream)
        assert language.choose(["plan", "--lang", "ja"], {}) == "en"


def test_a_line_of_one_of_several_keeps_its_name_and_its_counts() -> None:
    language.choose(["--lang", "ja"], {})
    assert language.line("  alerts (eu-west-1): in sync") == "  alerts (eu-west-1): 一致"
    assert language.line("  alerts (eu-west-1): 1,007 done, 1 failed") == "  alerts (eu-west-1): 完了 1,007、失敗 1"
    assert language.line("7 done, 1 frobnicated") == "7 done, 1 frobnicated"


def test_what_the_catalogue_does_not_know_stays_as_it_is() -> None:
    language.choose([], {"SHNOTIFY_LANG": "ja"})
    for text in ("", "   ", "frobnicated {x} (1) [y] \\d", "    note: frobnicated"):
        assert language.line(text).replace("注意", "note") == text


@pytest.mark.parametrize("name", TEXT_OF)
def test_every_sentence_of_these_is_translated(name: str) -> None:
    language.choose(["--lang", "ja"], {})
    found = {one for one in sentences(ROOT / "src" / "shnotify" / name) if not PIECES.fullmatch(one)}
    assert sorted(one for one in found if language.tr(one) == one) == []
