"""The mail of every sample as `render` shows it, held in one file; `python -m tests.support.golden` writes it anew."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import World
from tests.support.golden import DATA, FILE, GOLDEN, SAMPLES, shown


def test_every_sample_is_mailed_as_before(world: World) -> None:
    world.write(FILE)
    ran = world.run("render", *map(str, SAMPLES))
    assert ran.code == 0, ran.err
    assert shown(ran.json["mails"]) == GOLDEN.read_text("utf-8")


def test_every_mail_names_title_and_resource_or_says_why_not(world: World) -> None:
    world.write(FILE)
    mails = world.run("render", *map(str, SAMPLES)).json["mails"]
    assert {Path(mail["input"]["file"]) for mail in mails} == {*SAMPLES}
    for mail in mails:
        lines = [json.loads(line) for line in mail["body"].split("\n")]
        where = Path(mail["input"]["file"]).relative_to(DATA)
        text = Path(mail["input"]["file"]).read_text("utf-8")
        if lines[1].startswith("Not named here: title, resource and id"):
            assert mail["rule"].endswith("-plain"), where
            continue
        title, resource = lines[0].partition(": ")[2], lines[2].removeprefix("Resource: ")
        assert title, where
        assert resource, where
        assert title in text, where
        assert resource in text, where
