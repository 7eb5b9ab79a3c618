"""The mails of all samples in one text: `python -m tests.support.golden` writes it anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "data"
GOLDEN = DATA / "summaries.txt"
SAMPLES = sorted([*DATA.glob("*.json"), *(DATA / "products").glob("*.json")])
FILE = """\
name: security-alerts
region: ap-northeast-1
routes:
  - name: urgent
    source: both
    findings: {severity: any, workflow_status: any, record_state: any}
    subscribers: [secops@example.com]
"""


def shown(mails: list[dict[str, Any]]) -> str:
    """Each mail under its sample and its rule, in the order in which they were rendered."""
    return "\n".join(
        f"== {Path(mail['input']['file']).relative_to(DATA)} ({mail['rule']})\n{mail['body']}\n" for mail in mails
    )


def main() -> None:
    import contextlib
    import io
    import json
    import tempfile

    from shnotify import cli

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as out:
        config = Path(folder) / "shnotify.yaml"
        config.write_text(FILE, encoding="utf-8")
        cli.run(["render", *map(str, SAMPLES), "-c", str(config), "-o", "json"])
    GOLDEN.write_text(shown(json.loads(out.getvalue())["mails"]), encoding="utf-8")


if __name__ == "__main__":
    main()
