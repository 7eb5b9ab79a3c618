"""The pictures in the READMEs and the documentation show what the tool prints, word for word.

`PICTURES=write pytest tests/docs/test_pictures.py` records them anew.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from shnotify.sandbox.subscriptions import confirm_subscription
from tests.conftest import World
from tests.support.faults import REGION
from tests.support.pictures import picture, text_in

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
SAMPLE = str(ROOT / "tests" / "data" / "cspm-control-s3.json")
DEMO = f"name: demo-alerts\nregion: {REGION}\nroutes:\n  - name: urgent\n    subscribers: [secops@example.com]\n"
MAIL = {
    "en": "    message: {format: lambda}\n",
    "ja": "    message: {format: lambda, language: ja, time_zone: Asia/Tokyo}\n",
}


def meddle(world: World) -> None:
    """What the README says that somebody did."""
    kms, sqs = world.client("kms"), world.client("sqs")
    key = kms.describe_key(KeyId="alias/demo-alerts-topic")["KeyMetadata"]["KeyId"]
    policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    del policy["Statement"][1]
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
    url = sqs.get_queue_url(QueueName="demo-alerts-dlq")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "60"})
    world.client("events").disable_rule(Name="demo-alerts-urgent")


def clicked_and_changed(world: World) -> None:
    confirm_subscription("secops@example.com")
    meddle(world)


def scenes(lang: str) -> dict[str, tuple[Callable[[World], None], list[str]]]:
    """What happens first, and the command; in this order, in one account."""
    return {
        "plan": (lambda world: world.write(DEMO), ["plan"]),
        "apply": (lambda _: None, ["apply", "--yes"]),
        "status": (clicked_and_changed, ["status"]),
        "doctor": (lambda _: None, ["doctor"]),
        "mail": (lambda world: world.write(DEMO + MAIL[lang]), ["render", "finding.json"]),
    }


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_picture_shows_what_is_printed(world: World, monkeypatch: pytest.MonkeyPatch, lang: str) -> None:
    monkeypatch.chdir(world.path.parent)
    Path("finding.json").write_text(Path(SAMPLE).read_text("utf-8"), encoding="utf-8")
    monkeypatch.setenv("SHNOTIFY_LANG", lang)
    monkeypatch.setenv("SHNOTIFY_CONFIG", world.path.name)
    for name, (prepare, command) in scenes(lang).items():
        prepare(world)
        shown = picture(monkeypatch, *command)
        kept = IMAGES / (f"{name}.svg" if lang == "en" else f"{name}.{lang}.svg")
        if os.environ.get("PICTURES") == "write":
            kept.write_text(shown, encoding="utf-8")
        assert text_in(kept.read_text("utf-8")) == text_in(shown), f"{name}: PICTURES=write records it anew"


def test_a_picture_loads_nothing_and_has_its_words() -> None:
    for path in IMAGES.glob("*.svg"):
        text = path.read_text("utf-8")
        assert not re.search(r"(?:url\(|href=)[\"']?https?:", text)
    assert "CANNOT DELIVER" in text_in((IMAGES / "status.svg").read_text("utf-8"))
    assert "Fingerprint: " in text_in((IMAGES / "plan.svg").read_text("utf-8"))
