"""`init`: what it writes, what it asks, what it never overwrites."""

from __future__ import annotations

import io
import json
import os
import re
import stat
from pathlib import Path

import pytest

from shnotify import cli
from shnotify.config.load import load
from shnotify.terminal.screen import Screen
from tests.conftest import Ran


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `init` asks of AWS is in test_init_look.py."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)


SECOPS = ("--email", "secops@example.com")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "made.yaml"


def init(capsys: pytest.CaptureFixture[str], path: Path, *arguments: str) -> Ran:
    capsys.readouterr()
    return Ran(cli.run(["init", "-c", str(path), *arguments]), *capsys.readouterr())


def left(path: Path) -> list[str]:
    """What lies in the folder."""
    return sorted(os.listdir(path.parent))


def test_it_writes_a_file_of_what_it_was_given(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--name", "yes", "--route", "on", "--region", "eu-west-1", "--account", "012345670123"]
    ran = init(capsys, path, *given, *SECOPS, "--email", "a#b+c@example.com")
    assert (ran.code, left(path)) == (0, ["made.yaml"])
    config = load(path)
    assert (config.name, config.region, config.account) == ("yes", "eu-west-1", "012345670123")
    assert [route.name for route in config.routes] == ["on"]
    assert [one.endpoint for one in config.routes[0].subscribers] == ["secops@example.com", "a#b+c@example.com"]
    assert 'name: "yes" ' in path.read_text("utf-8")  # other readers of YAML take a bare one for true


def test_the_smallest_one_says_what_else_there_is(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = init(capsys, path, *SECOPS, "-o", "json").json
    assert (document["file"], document["name"]) == (str(path), "security-alerts")
    assert [document[key] for key in ("found", "plan", "region", "account", "error")] == [None] * 5
    assert "no usable AWS credentials" in document["not_asked"]
    text = path.read_text("utf-8")
    assert all(f"# {field}: " in text for field in ("region", "account", "tags", "encryption", "dead_letter_queue"))
    assert (
        len({line.index(" # ") for line in text.splitlines() if line.partition(":")[0][-6:] in ("name", "region")}) == 1
    )


def test_all_that_is_wrong_is_told_by_option_and_nothing_is_written(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = [
        "--name",
        "x\nroutes: []",
        "--route",
        "urgent # x",
        "--region",
        "a: b",
        "--account",
        '1"2',
        "--email",
        "\udcff",
    ]
    ran = init(capsys, path, *wrong)
    assert (ran.code, left(path)) == (2, [])
    for option in ("--name: must be", "--route: must be", "--region: must be", "--account: must be", "--email: "):
        assert option in ran.err
    assert "made.yaml" not in ran.err
    ran = init(capsys, path, "--email", "a@b.co", "--email", "A@b.co")
    assert (ran.code, "--email: 'A@b.co' is listed twice" in ran.err, left(path)) == (2, True, [])
    assert init(capsys, path).code == 2
    assert init(capsys, path / "none" / "x.yaml", *SECOPS).code == 1


def test_what_is_there_stays_without_force(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_text("mine", encoding="utf-8")
    path.chmod(0o600)
    assert init(capsys, path, *SECOPS).code == 2
    link, nowhere = path.with_name("link"), path.with_name("nowhere")
    nowhere.symlink_to("not-there.yaml")
    assert init(capsys, nowhere, *SECOPS).code == 2
    assert path.read_text("utf-8") == "mine"
    link.symlink_to(path.name)
    assert init(capsys, link, *SECOPS, "--force").code == 0
    assert link.is_symlink()
    assert load(path).name == "security-alerts"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert init(capsys, path, "--force", "--email", "wrong").code == 2
    assert load(path).name == "security-alerts"
    assert left(path) == ["link", "made.yaml", "nowhere"]


def test_only_a_file_is_ever_replaced(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(path)
    folder = path.with_name("folder")
    folder.mkdir()
    (folder / "only.yaml").write_text("kept", "utf-8")
    for taken in (path, folder, Path(os.devnull)):
        ran = init(capsys, taken, *SECOPS, "--force")
        assert (ran.code, "is not a regular file" in ran.err) == (2, True)
    assert path.is_fifo()
    assert (folder / "only.yaml").read_text("utf-8") == "kept"
    assert Path(os.devnull).is_char_device()


def test_on_a_terminal_it_asks(path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Screen, "can_ask", property(lambda screen: not screen.json))
    typed = "Not A Name\nteam\n\nbad\na@b.co, c@d.co\nnowhere\neu-west-1\n\nletter\njson\non@b.co\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    ran = init(capsys, path)
    assert (ran.code, ran.out.startswith("Wrote ")) == (0, True)
    assert ran.err.count("must be") == 3
    assert "nothing was asked of AWS, so nothing is suggested" in ran.err
    config = load(path)
    assert (config.name, config.region, config.account) == ("team", "eu-west-1", None)
    assert [one.endpoint for one in config.routes[0].subscribers] == ["a@b.co", "c@d.co"]
    assert config.routes[0].message.format == "json"
    assert config.watchdog
    assert [one.endpoint for one in config.watchdog.subscribers] == ["on@b.co"]
    for form, says in (("summary", "two rules"), ("json", "the whole event"), ("lambda", "makes a function")):
        assert re.search(rf"^{form}: .*{says}.*\n  Subject: ", ran.err, re.MULTILINE)
    assert '  "HIGH: S3 general purpose buckets should block public access"\n' in ran.err
    assert "  Subject: [HIGH] S3.8 " in ran.err
    for ended in ("", "team\n", "team\na@b.co\n\n", "team\na@b.co\n\n\n"):
        monkeypatch.setattr("sys.stdin", io.StringIO(ended))
        ran = init(capsys, path.with_name("other.yaml"))
        assert (ran.code, "nothing was written" in ran.err) == (2, True)
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert init(capsys, path.with_name("flags.yaml"), *SECOPS, "--offline").err == ""
    assert json.loads(init(capsys, path.with_name("none.yaml"), "-o", "json").out)["error"]["message"]
    assert left(path) == ["flags.yaml", "made.yaml"]


@pytest.mark.parametrize("mail", ["summary", "json", "lambda"])
def test_the_mail_can_be_given(path: Path, capsys: pytest.CaptureFixture[str], mail: str) -> None:
    assert init(capsys, path, *SECOPS, "--mail", mail).code == 0
    assert load(path).routes[0].message.format == mail
    ran = init(capsys, path.with_name("other.yaml"), *SECOPS, "--mail", "letter")
    assert (ran.code, "--mail: must be" in ran.err) == (2, True)


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o027, 0o640), (0o000, 0o666)])
def test_the_file_is_for_whom_the_umask_leaves_it(
    path: Path, capsys: pytest.CaptureFixture[str], mask: int, mode: int
) -> None:
    before = os.umask(mask)
    try:
        assert init(capsys, path, *SECOPS).code == 0
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_the_whole_example_with_the_answers_in_it_means_what_the_short_one_means(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--name", "yes", "--route", "on", "--region", "eu-west-1", "--account", "012345670123", *SECOPS]
    for more in ([], given, ["--mail", "lambda", *SECOPS], ["--email", "a@b.co", "--email", "c@d.co"]):
        full = init(capsys, path, "--full", "--force", "--offline", *more)
        assert (full.code, full.err) == (0, "")
        whole = load(path)
        assert init(capsys, path, "--force", "--offline", *(more or SECOPS)).code == 0
        assert whole == load(path)


def test_it_points_at_nothing_that_an_installation_does_not_hold(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert init(capsys, path, *SECOPS).code == 0
    text = path.read_text("utf-8")
    assert "config.example.yaml" not in text
    assert "shnotify init --full" in text


def test_a_wrong_account_is_told_for_a_command_line(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran = init(capsys, path, *SECOPS, "--account", "12")
    assert (ran.code, "--account: must be twelve digits, such as 123456789012" in ran.err) == (2, True)
    assert "quotes" not in ran.err


def test_an_interrupt_says_that_the_answers_are_gone(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_screen: Screen, _question: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(Screen, "can_ask", property(lambda screen: not screen.json))
    monkeypatch.setattr(Screen, "line", interrupted)
    ran = init(capsys, path)
    assert (ran.code, left(path)) == (130, [])
    assert "nothing was written, and the answers are gone" in ran.err
    assert "picks up" not in ran.err


@pytest.mark.parametrize(
    ("typed", "answer", "again"),
    [("maybe\ny\n", True, 1), ("maybe\nja\nno\n", False, 2), ("\n", False, 0), ("", False, 0), ("huh", False, 1)],
)
def test_yes_or_no_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str, answer: bool, again: int
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert Screen().ask("Do this? [y/N]") is answer
    assert capsys.readouterr().err.count("please answer yes or no") == again
