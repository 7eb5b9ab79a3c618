"""Where findings come from: which Security Hub, which Region, which account, and who else mails
them. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from shnotify.arns import Scope, name_in, service_of
from shnotify.aws.failures import AwsError
from shnotify.engine.health import Link
from shnotify.findings.overlap import shared_example
from shnotify.findings.vocabulary import CSPM, HUB
from shnotify.notifier.inquiry import Answers, OtherRule
from shnotify.notifier.preconditions import SERVICES
from shnotify.notifier.words import unread

_OFF = ("InvalidAccessException", "ResourceNotFoundException")
"""What Security Hub answers where it is off; that it is off another link tells."""


def hub_links(scope: Scope, answers: Answers) -> tuple[Link, ...]:
    """Judges where the findings of the account and its Regions come together."""
    return (
        *_member(scope, answers.admin),
        *(link for name, one in answers.aggregator.items() for link in _region(scope, name, one)),
        *_duplicates(answers),
    )


def mailed_elsewhere(scope: Scope, answers: Answers) -> list[str]:
    """Says where else a notifier would mail the findings of this account and Region too."""
    links = hub_links(scope, answers)
    return [link.why for link in links if (link.id, link.verdict) == ("home-region", "warning")]


def _member(scope: Scope, admin: str | AwsError | None) -> Iterator[Link]:
    """Judges the account: an administrator's events hold the findings of all members
    (securityhub-cwe-integration-types).
    """
    if isinstance(admin, AwsError):
        if admin.code not in _OFF:
            yield unread("home-region", "whose member this account is", admin)
    elif admin and admin != scope.account:
        why = (
            f"this account is a member of {admin}: only its own findings come here, "
            "and a notifier in the administrator's account mails them too"
        )
        yield Link("home-region", "warning", why, evidence={"administrator": admin})


def _region(scope: Scope, service: str, found: Mapping[str, Any] | AwsError) -> Iterator[Link]:
    name = SERVICES[service]
    if isinstance(found, AwsError):
        if found.code in _OFF:
            why = f"{name} is off here, so nothing is known of its home Region"
            yield Link("home-region", "unknown", why)
            yield Link("aggregation", "unknown", why)
        else:
            yield unread("home-region", f"the home Region of {name}", found)
            yield unread("aggregation", f"the aggregation of {name}", found)
        return
    if not found:
        yield Link("home-region", "ok", evidence={"aggregation": False})
        why = f"{name} aggregates nothing here: findings of other Regions are not mailed"
        yield Link("aggregation", "warning", why, evidence={"service": service})
        return
    home, mode = str(found["home"]), str(found["mode"])
    evidence = {"service": service, **found}
    if home != scope.region:
        why = (
            f"the home Region of {name} is {home}: only findings of {scope.region} come here, "
            f"and a notifier in {home} mails them too"
        )
        yield Link("home-region", "warning", why, evidence=evidence)
        yield Link("aggregation", "ok", evidence=evidence)
        return
    yield Link("home-region", "ok", evidence=evidence)
    if mode == "NO_REGIONS" or (mode == "SPECIFIED_REGIONS" and not found["regions"]):
        why = f"{name} has its home Region here and links no other: their findings are not mailed"
        yield Link("aggregation", "warning", why, evidence=evidence)
    else:
        yield Link("aggregation", "ok", evidence=evidence)


# -- the same finding twice ------------------------------------------------------------------------


def _duplicates(answers: Answers) -> Iterator[Link]:
    """Judges who else mails the same findings, and whether one control is several findings."""
    hub = answers.hub
    if isinstance(hub, Mapping) and hub.get("ControlFindingGenerator") == "STANDARD_CONTROL":
        why = (
            "consolidated control findings are off: one failed control is one mail for each "
            "standard that has it"
        )
        mend = "aws securityhub update-security-hub-configuration --control-finding-generator SECURITY_CONTROL"
        evidence = {"ControlFindingGenerator": "STANDARD_CONTROL"}
        yield Link("duplicates", "warning", why, mend, evidence)
    if isinstance(answers.others, AwsError):
        yield unread("duplicates", "the other rules", answers.others)
        return
    if answers.others is None:
        return
    others = list(answers.others)
    for other in others:
        yield from _other(other)
    if not any(_sends(other) for other in others):
        yield Link("duplicates", "ok", evidence={"other_rules": [other.name for other in others]})


def _other(other: OtherRule) -> Iterator[Link]:
    """Judges one rule that lets the same findings through.

    A rule that AWS manages for an event source feeds another bus and mails nothing by itself
    (eb-custom-bus-event-sources), so its targets decide as everybody's.
    """
    if isinstance(other.targets, AwsError):
        yield unread("duplicates", f"where the rule {other.name} sends", other.targets)
        return
    if sends := _sends(other):
        where = ", ".join(name_in(arn) for arn in sends)
        why = f"the rule {other.name} lets the same findings through and feeds {where}: people may get them twice"
        evidence = {"rule": other.name, "targets": list(sends), "managed_by": other.managed_by}
        yield Link("duplicates", "warning", why, evidence=evidence)


def _sends(other: OtherRule) -> tuple[str, ...]:
    """Lists the targets from which mail may come."""
    if isinstance(other.targets, AwsError):
        return ()
    return tuple(arn for arn in other.targets if service_of(arn) in ("sns", "lambda"))


def scopes_of(patterns: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Names the Security Hubs whose events these patterns are about, by their detail-types."""
    found = set()
    for pattern in patterns:
        kinds = {key: value for key, value in pattern.items() if key == "detail-type"}
        for name, schema in (("cspm", CSPM), ("hub", HUB)):
            if shared_example(kinds or pattern, {"detail-type": [schema.detail_type]}):
                found.add(name)
    return frozenset(found)
