"""Whatever a filter says in the neutral words is what its pattern lets through, in either service's events.

The other side is written from the findings' own fields: a wanted value must be there, an excluded one must not, and
severities per product stand in place of `severity`.
"""

from __future__ import annotations

import random
from typing import Any

from shnotify.findings.matching import matches
from shnotify.findings.pattern import event_pattern
from shnotify.findings.patternsyntax import PatternError
from shnotify.formatter.finding import at, findings_in
from tests.conftest import Cases
from tests.support.samples import NAMES, filters, sample

EVENTS = [sample(name) for name in NAMES if "custom-action" not in name and "insight" not in name]
LEVELS = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL"]
PRODUCTS = ["guardduty", "inspector", "macie", "securityhub", "access-analyzer"]


def described(event: dict[str, Any]) -> tuple[str, dict[str, list[str]]]:
    """(service, neutral field -> its values); what the finding does not say has none."""
    (found,) = findings_in(event)
    hub = found.schema == "hub"
    says = {
        "severity": (found.severity.replace("FATAL", "CRITICAL"), found.severity),
        "workflow_status": (found.status, at(found.raw, "status") if hub else at(found.raw, "Workflow", "Status")),
        "record_state": (found.state, at(found.raw, "activity_name" if hub else "RecordState")),
        "compliance_status": (found.compliance, found.compliance),
        "accounts": (found.account, at(found.raw, *(("cloud", "account", "uid") if hub else ("AwsAccountId",)))),
        "products": (found.product_arn.rpartition("/aws/")[2], found.product_arn),
        "controls": (found.control, found.control),
        "regions": (found.region, at(found.raw, "cloud", "region") if hub else at(found.raw, "Region")),
    }
    values = {name: [value] if there else [] for name, (value, there) in says.items()}
    values["resource_ids"] = [resource.id.removeprefix("AWS::::Account:") for resource in found.resources]
    values["types"] = list(found.types)
    return found.schema, values


SEEN = [(event, *described(event)) for event in EVENTS]
CHOICES = {
    "severity": LEVELS,
    "workflow_status": ["NEW", "NOTIFIED", "RESOLVED", "SUPPRESSED"],
    "record_state": ["ACTIVE", "ARCHIVED"],
    "compliance_status": ["PASSED", "FAILED", "WARNING"],
    "products": PRODUCTS,
    **{
        name: sorted({v for _, _, values in SEEN for v in values[name]})
        for name in ("accounts", "controls", "regions", "resource_ids", "types")
    },
}


def drawn(pick: random.Random) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what is wanted, what is excluded)"""
    wanted, unwanted = {}, {}
    for name, choices in CHOICES.items():
        array = name in ("resource_ids", "types")
        if pick.random() < (0.05 if array else 0.25):
            wanted[name] = tuple(pick.sample(choices, pick.randint(1, len(choices) - 1)))
        if not array and pick.random() < 0.15:
            unwanted[name] = tuple(pick.sample(choices, pick.randint(1, min(2, len(choices) - 1))))
    if pick.random() < 0.2:
        named = pick.sample([*PRODUCTS, "any"], pick.randint(1, 4))
        levels = [None if pick.random() < 0.2 else tuple(pick.sample(LEVELS, pick.randint(1, 3))) for _ in named]
        return {**wanted, "products": dict(zip(named, levels, strict=True))}, unwanted
    return wanted, unwanted


def lets_through(wanted: dict[str, Any], unwanted: dict[str, Any], values: dict[str, list[str]]) -> bool:
    if any(set(values[name]) & set(out) for name, out in unwanted.items()):
        return False
    if "ACTIVE" in unwanted.get("record_state", ()) and not values["record_state"]:
        return False  # a finding that does not say is an active one
    thresholds = wanted.get("products")
    if isinstance(thresholds, dict):
        [product] = values["products"]
        if product not in thresholds and "any" not in thresholds:
            return False
        levels = thresholds.get(product, thresholds.get("any"))
        others = {name: entries for name, entries in wanted.items() if name not in ("products", "severity")}
        wanted = others if levels is None else {**others, "severity": levels}
    return all(set(values[name]) & set(entries) for name, entries in wanted.items())


def test_a_pattern_lets_through_what_its_filter_says(cases: Cases) -> None:
    pick, count, let_through = random.Random(1), 0, 0
    for _ in range(1500):
        source = pick.choice(["cspm", "hub", "both"])
        wanted, unwanted = drawn(pick)
        try:
            pattern = event_pattern(source, filters(unwanted, **wanted), "aws")
        except PatternError:
            continue
        for event, service, values in SEEN:
            expected = source in (service, "both") and lets_through(wanted, unwanted, values)
            assert matches(pattern, event) is expected, (source, wanted, unwanted, values)
            count, let_through = count + 1, let_through + expected
    cases(count)
    assert let_through > count / 20
