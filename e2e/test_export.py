"""`make e2e`: what `export cloudformation` prints, deployed as a stack, is what `status` and `apply` want."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest

from emulated import ACCOUNT, REGION, emulator

__all__ = ["emulator"]
CONFIG = f"""\
name: exported
region: {REGION}
routes:
  - name: urgent
    message: {{format: FORMAT}}
    subscribers:
      - {{protocol: sqs, endpoint: "arn:aws:sqs:{REGION}:{ACCOUNT}:inbox"}}
"""
GAPS = {"UrgentTopic": {"KmsMasterKeyId", "DisplayName"}}
"""What ministack leaves out when it makes a resource of a template."""


def run(config: Path, *arguments: str) -> tuple[int, str]:
    ran = subprocess.run(
        [sys.executable, "-m", "shnotify", *arguments, "-c", str(config)], check=False, capture_output=True, text=True
    )
    return ran.returncode, ran.stdout


@pytest.mark.timeout(300)
@pytest.mark.parametrize("form", ["summary", "json"])
def test_a_stack_of_the_template_is_in_sync(emulator: None, tmp_path: Path, form: str) -> None:
    boto3.client("sqs").create_queue(QueueName="inbox")
    config = tmp_path / "shnotify.yaml"
    config.write_text(CONFIG.replace("FORMAT", form), encoding="utf-8")
    code, template = run(config, "export", "cloudformation", "-o", "json")
    assert code == 0
    cloudformation = boto3.client("cloudformation")
    cloudformation.create_stack(StackName="exported", TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"])
    cloudformation.get_waiter("stack_create_complete").wait(StackName="exported", WaiterConfig={"Delay": 1})
    try:
        seen = status(config)
        drifted = {one["id"]: {drift["path"] for drift in one["drift"]} for one in seen if one["drift"]}
        assert drifted == GAPS
        assert {one["id"] for one in seen if one["state"] != "in_sync"} == {"UrgentTopic"}
        code, applied = run(config, "apply", "--yes", "-o", "json")
        done = {one["id"]: one["action"] for one in json.loads(applied)["actions"]}
        assert code == 1
        assert {identity for identity, action in done.items() if action != "none"} == {"UrgentTopic"}
        assert done["UrgentTopic"] == "refuse"
        assert status(config) == seen
    finally:
        cloudformation.delete_stack(StackName="exported")


def status(config: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(config, "status", "-o", "json")[1])["resources"]
    return found
