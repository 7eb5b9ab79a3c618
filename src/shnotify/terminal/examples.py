"""Two examples or more for every command, as they are typed: the end of its help.

One table for all of them, so that the commands of a group read alike. A test parses each.
"""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "": ("shnotify init", "shnotify plan", "shnotify apply", "shnotify COMMAND --help"),
    "init": (
        "shnotify init",
        "shnotify init --email secops@example.com --region ap-northeast-1",
        "shnotify init --full -c all.yaml",
    ),
    "validate": ("shnotify validate", "shnotify validate --strict -c team.yaml"),
    "schema": ("shnotify schema > shnotify.schema.json", "shnotify schema -o json"),
    "completion": ("shnotify completion bash", "shnotify completion fish"),
    "plan": (
        "shnotify plan",
        "shnotify plan -v --profile audit",
        "shnotify plan --exit-code -o json",
        "shnotify plan --markdown > plan.md",
    ),
    "apply": (
        "shnotify apply",
        "shnotify apply --yes -c team.yaml",
        "shnotify apply -c conf.d",
        "shnotify apply --expect FINGERPRINT",
    ),
    "status": (
        "shnotify status",
        "shnotify status -o json --profile audit",
        "shnotify status -c a.yaml -c b.yaml",
    ),
    "destroy": ("shnotify destroy", "shnotify destroy --keep-keys"),
    "match": (
        "shnotify match finding.json",
        "aws securityhub get-findings | shnotify match - --exit-code",
    ),
    "render": (
        "shnotify render finding.json",
        "shnotify render finding.json --route urgent --format lambda",
    ),
    "demo": ("shnotify demo", "shnotify demo -o json"),
    "sandbox": ("shnotify sandbox", "shnotify sandbox --port 4567"),
    "doctor": (
        "shnotify doctor",
        "shnotify doctor --rule BBBBB",
        "shnotify doctor --html page.html",
    ),
    "why": ("shnotify why FINDING_ID", "shnotify why --last 20"),
    "test": ("shnotify test", "shnotify test --route urgent --yes"),
    "estimate": ("shnotify estimate", "shnotify estimate --since 90d --against new.yaml"),
    "baseline": ("shnotify baseline --preview", "shnotify baseline --undo"),
    "iam-policy": (
        "shnotify iam-policy --for status",
        "shnotify iam-policy --for apply > policy.json",
    ),
    "dlq": ("shnotify dlq list", "shnotify dlq redrive"),
    "dlq list": ("shnotify dlq list", "shnotify dlq list -o json"),
    "dlq show": ("shnotify dlq show MESSAGE_ID", "shnotify dlq show MESSAGE_ID -o json"),
    "dlq redrive": ("shnotify dlq redrive --dry-run", "shnotify dlq redrive --id MESSAGE_ID --yes"),
    "dlq export": ("shnotify dlq export lost.jsonl", "shnotify dlq export lost.jsonl --force"),
    "dlq purge": (
        "shnotify dlq purge --exported lost.jsonl",
        "shnotify dlq purge --exported lost.jsonl --yes",
    ),
    "subscriptions": ("shnotify subscriptions list", "shnotify subscriptions resend a@example.com"),
    "subscriptions list": (
        "shnotify subscriptions list",
        "shnotify subscriptions list --route urgent -o json",
    ),
    "subscriptions resend": (
        "shnotify subscriptions resend a@example.com",
        "shnotify subscriptions resend a@example.com --route urgent",
    ),
    "subscriptions confirm": (
        "shnotify subscriptions confirm 'https://sns...'",
        "shnotify subscriptions confirm TOKEN --route urgent",
    ),
    "subscriptions protect": (
        "shnotify subscriptions protect",
        "shnotify subscriptions protect a@example.com",
    ),
    "subscriptions remove": (
        "shnotify subscriptions remove a@example.com",
        "shnotify subscriptions remove a@example.com --yes",
    ),
    "export": (
        "shnotify export cloudformation > template.json",
        "shnotify export cloudformation -c team.yaml",
    ),
    "export cloudformation": (
        "shnotify export cloudformation > template.json",
        "shnotify export cloudformation --code-dir build",
    ),
    "rollout": ("shnotify rollout plan", "shnotify rollout apply"),
    "rollout plan": ("shnotify rollout plan", "shnotify rollout plan --exit-code"),
    "rollout apply": ("shnotify rollout apply", "shnotify rollout apply --yes"),
    "rollout status": ("shnotify rollout status", "shnotify rollout status -o json"),
    "rollout destroy": ("shnotify rollout destroy", "shnotify rollout destroy --yes"),
}
"""The command as it is typed, without `shnotify` -> its examples; one that is not there is unused."""
