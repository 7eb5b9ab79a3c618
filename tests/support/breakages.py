"""One list of stacks that are broken in one link each, and the whole stack that they are made from.

A stack is the embedded AWS after `apply`; a breakage changes what AWS answers, as the cited fault
would. What the embedded AWS does not have (aggregators, counts, alarms, authenticated
confirmations) is answered as the API's page shows it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from shnotify.frozen import frozen
from shnotify.sandbox.subscriptions import confirm_subscription
from tests.conftest import SMALLEST, Ran, World
from tests.support.faults import REGION, Fault
from tests.support.lifecycle import ACCOUNT, RULE

Get = Callable[[], Any]
Edit = Callable[[Mapping[str, Any], Get], Any]
"""Makes another answer of a call: its parameters, and what AWS would have said."""
Edits = dict[str, Edit]

OTHER = "999999999999"
FOREIGN_TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:other"
QUEUE_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:security-alerts-dlq"
RULE_ARN = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{RULE}"
AGGREGATOR = f"arn:aws:securityhub:{REGION}:{ACCOUNT}:finding-aggregator/1"
EVENTS = {"Service": "events.amazonaws.com"}
BOTH = ["kms:Decrypt", "kms:GenerateDataKey"]
ROOT = {
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "kms:*",
    "Resource": "*",
}
ORG = {"aws:PrincipalOrgID": "o-abc"}
OUTSIDE = {"StringNotEquals": ORG}


@frozen
class Breakage:
    """One fault of one stack.

    link     the link that must be named
    what     the fault in words
    edits    what AWS answers otherwise
    verdict  what must be said of the link; "" when the fault is one without a file only
    rule     what `--rule` must say; "" when the fault is one against the file only
    also     links of which more cannot be known then
    modes    summary, lambda: the formats in which the fault exists
    masks    whether nothing behind the link can be judged any more
    cites    an id of findings.md, or a public report, whose fault this is
    """

    link: str
    what: str
    edits: Edits
    verdict: str = "broken"
    rule: str | None = None
    also: frozenset[str] = frozenset()
    modes: tuple[str, ...] = ("summary", "lambda")
    cites: str = ""
    masks: bool = False

    @property
    def said_by_rule(self) -> str:
        return self.verdict if self.rule is None else self.rule


def policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {
        "Sid": "e",
        "Effect": "Allow",
        "Principal": EVENTS,
        "Action": action,
        "Resource": resource,
        **more,
    }


def deny(action: Any, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {**allow(action, resource), "Sid": "d", "Effect": "Deny", "Principal": "*", **more}


# -- answers ---------------------------------------------------------------------------------------


def answer(reply: Any) -> Edit:
    return lambda _params, _get: deepcopy(reply)


def refuse(code: str, status: int = 400, message: str = "injected") -> Edit:
    def edit(_params: Mapping[str, Any], _get: Get) -> Any:
        meta = {"HTTPStatusCode": status}
        raise ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": meta}, "x")  # type: ignore[typeddict-item]

    return edit


DENIED = refuse("AccessDeniedException", 403, "not authorized")


def put(*path: str, **values: Any) -> Edit:
    """The reply with other values at a path; None takes one away."""

    def edit(_params: Mapping[str, Any], get: Get) -> Any:
        reply = deepcopy(get())
        node = reply
        for name in path:
            node = node[name]
        node.update(values)
        for name in [name for name, value in values.items() if value is None]:
            del node[name]
        return reply

    return edit


def if_(name: str, text: str, edit: Edit) -> Edit:
    """The edit, where a parameter holds the text."""
    return lambda params, get: edit(params, get) if text in str(params.get(name)) else get()


def target(**values: Any) -> Edits:
    """The rule's target with other values; None takes one away."""

    def edit(params: Mapping[str, Any], get: Get) -> Any:
        reply = deepcopy(get())
        if params["Rule"] == RULE:
            for name, value in values.items():
                reply["Targets"][0][name] = value
                if value is None:
                    del reply["Targets"][0][name]
        return reply

    return {"events:ListTargetsByRule": edit}


def pattern(document: Mapping[str, Any]) -> Edits:
    """The first rule with another pattern."""
    return {"events:DescribeRule": first_rule(put(EventPattern=json.dumps(document)))}


def narrowed(**changed: Any) -> Edits:
    """The first rule's pattern with other conditions on the finding; None takes one away."""

    def edit(_params: Mapping[str, Any], get: Get) -> Any:
        reply = deepcopy(get())
        document = json.loads(reply["EventPattern"])
        wanted = document["detail"]["findings"]
        wanted.update(changed)
        for name in [name for name, value in changed.items() if value is None]:
            del wanted[name]
        return {**reply, "EventPattern": json.dumps(document)}

    return {"events:DescribeRule": first_rule(edit)}


def enveloped(**changed: Any) -> Edits:
    """The first rule's pattern with more conditions beside those on the finding."""

    def edit(_params: Mapping[str, Any], get: Get) -> Any:
        reply = deepcopy(get())
        return {**reply, "EventPattern": json.dumps({**json.loads(reply["EventPattern"]), **changed})}

    return {"events:DescribeRule": first_rule(edit)}


def first_rule(edit: Edit) -> Edit:
    return lambda params, get: edit(params, get) if params["Name"] == RULE else get()


def findings(**changed: Any) -> dict[str, Any]:
    """The file's pattern with other conditions on the finding."""
    wanted = {
        "Severity": {"Label": ["CRITICAL", "HIGH"]},
        "Workflow": {"Status": ["NEW"]},
        "RecordState": ["ACTIVE"],
        **changed,
    }
    return {
        "source": ["aws.securityhub"],
        "detail-type": ["Security Hub Findings - Imported"],
        "detail": {"findings": {name: value for name, value in wanted.items() if value is not None}},
    }


def topic(**attributes: Any) -> Edits:
    return {"sns:GetTopicAttributes": put("Attributes", **attributes)}


def queue(**attributes: Any) -> Edits:
    return {"sqs:GetQueueAttributes": put("Attributes", **attributes)}


def subscription(**attributes: Any) -> Edits:
    return {"sns:GetSubscriptionAttributes": put("Attributes", **attributes)}


KEYS: dict[str, str] = {}
"""`topic`, `dlq` -> the id of the key, in the stack that is being broken."""


def key_policy(which: str, *statements: Mapping[str, Any]) -> Edits:
    def edit(params: Mapping[str, Any], get: Get) -> Any:
        mine = KEYS[which] in params["KeyId"]
        return {**get(), "Policy": policy(ROOT, *statements)} if mine else get()

    return {"kms:GetKeyPolicy": edit}


def key_state(which: str, state: str) -> Edits:
    def edit(_params: Mapping[str, Any], get: Get) -> Any:
        reply = deepcopy(get())
        if reply["KeyMetadata"]["KeyId"] == KEYS[which]:
            reply["KeyMetadata"] |= {"KeyState": state, "Enabled": False}
        return reply

    return {"kms:DescribeKey": edit}


def counts(of: Mapping[str, list[tuple[int, float]]]) -> Edits:
    """What CloudWatch counted: metric -> (minutes ago, count); `Lambda_` before those of a function."""

    def edit(params: Mapping[str, Any], _get: Get) -> Any:
        results = []
        for query in params["MetricDataQueries"]:
            metric = query["MetricStat"]["Metric"]
            prefix = "Lambda_" if metric["Namespace"] == "AWS/Lambda" else ""
            points = of.get(prefix + metric["MetricName"], [])
            now = datetime.now(UTC)
            results.append(
                {
                    "Id": query["Id"],
                    "Timestamps": [now - timedelta(minutes=ago) for ago, _ in points],
                    "Values": [count for _, count in points],
                }
            )
        return {"MetricDataResults": results}

    return {"cloudwatch:GetMetricData": edit}


GOOD: dict[str, list[tuple[int, float]]] = {
    "Invocations": [(60, 3)],
    "TriggeredRules": [(60, 3)],
    "NumberOfNotificationsDelivered": [(60, 3)],
    "Lambda_Invocations": [(60, 3)],
}


def counted(**changed: list[tuple[int, float]]) -> Edits:
    """What a whole stack counts, with these counts in place of its own."""
    return counts({**GOOD, **changed})


def alarms(*found: Mapping[str, Any]) -> Edits:
    return {"cloudwatch:DescribeAlarmsForMetric": answer({"MetricAlarms": list(found)})}


def aggregator(home: str = REGION, mode: str = "ALL_REGIONS", regions: tuple[str, ...] = ()) -> Edits:
    """API_GetFindingAggregator."""
    reply = {"FindingAggregationRegion": home, "RegionLinkingMode": mode, "Regions": list(regions)}
    return {
        "securityhub:ListFindingAggregators": answer({"FindingAggregators": [{"FindingAggregatorArn": AGGREGATOR}]}),
        "securityhub:GetFindingAggregator": answer(reply),
    }


def other_rule(document: Mapping[str, Any], to: str, name: str = "other", **more: Any) -> Edits:
    """Somebody else's rule beside ours."""

    def rules(_params: Mapping[str, Any], get: Get) -> Any:
        reply = deepcopy(get())
        one = {"Name": name, "State": "ENABLED", "EventPattern": json.dumps(document), **more}
        reply["Rules"].append(one)
        return reply

    return {
        "events:ListRules": rules,
        "events:ListTargetsByRule": if_("Rule", name, answer({"Targets": [{"Id": "1", "Arn": to}]})),
    }


WHOLE: Edits = {
    **aggregator(),
    **counts(GOOD),
    **alarms({"AlarmName": "lost", "AlarmActions": [f"arn:aws:sns:{REGION}:{ACCOUNT}:on-call"]}),
    "securityhub:DescribeHub": answer({"ControlFindingGenerator": "SECURITY_CONTROL"}),
    "securityhub:GetAdministratorAccount": answer({}),
    "securityhub:DescribeSecurityHubV2": answer({}),
    "securityhub:ListAggregatorsV2": answer({"AggregatorsV2": [{"AggregatorV2Arn": AGGREGATOR}]}),
    "securityhub:GetAggregatorV2": answer({"AggregationRegion": REGION, "RegionLinkingMode": "ALL_REGIONS"}),
    **subscription(
        ConfirmationWasAuthenticated="true",
        RedrivePolicy=json.dumps({"deadLetterTargetArn": QUEUE_ARN}),
    ),
}
"""The answers of a stack in which every link is as it should be."""


# -- stacks ----------------------------------------------------------------------------------------


@dataclass
class Stack:
    """A whole stack in the embedded AWS, that can be broken again and again.

    extra  lines of the file below the route
    head   lines of the file above the routes
    """

    world: World
    extra: str = ""
    head: str = ""
    arguments: tuple[str, ...] = ()
    edits: list[Edits] = field(default_factory=list)

    def made(self) -> Stack:
        self.world.write(SMALLEST.replace("routes:", f"{self.head}routes:") + self.extra)
        ran = self.world.apply()
        assert ran.code == 0, ran.err
        confirm_subscription("secops@example.com")
        self.world.faults.rule = self._rule
        return self

    def _rule(self, _number: int, operation: str) -> Fault | None:
        edits = [some[operation] for some in self.edits if operation in some]
        if not edits:
            return None

        def fault(call: Get, _operation: str) -> Any:
            params = self.world.faults.calls[-1][1]
            get = call
            for edit in edits:
                get = _before(edit, params, get)
            return get()

        return fault

    def doctor(self, *edits: Edits) -> Ran:
        """Runs `doctor` on the whole stack with these changes."""
        self.edits = [WHOLE, *edits]
        return self.world.run("doctor", *self.arguments)

    def status(self, *edits: Edits) -> Ran:
        """Runs `status` on the whole stack with these changes."""
        self.edits = [WHOLE, *edits]
        return self.world.run("status")


FORMAT = {"summary": "", "lambda": "    message: {format: lambda}\n"}


def stack(world: World, mode: str, *arguments: str) -> Stack:
    found = Stack(world, FORMAT[mode], "", arguments).made()
    for which in ("topic", "dlq"):
        key = world.client("kms").describe_key(KeyId=f"alias/security-alerts-{which}")
        KEYS[which] = key["KeyMetadata"]["KeyId"]
    return found


def _before(edit: Edit, params: Mapping[str, Any], get: Get) -> Get:
    return lambda: edit(params, get)


def not_ok(ran: Ran) -> dict[str, set[str]]:
    """Link -> the verdicts that are not `ok`."""
    found: dict[str, set[str]] = {}
    for link in ran.json["links"]:
        if link["verdict"] != "ok":
            found.setdefault(link["id"], set()).add(link["verdict"])
    return found


def said(ran: Ran) -> set[str]:
    """All links that something is said about."""
    return {link["id"] for link in ran.json["links"]}
