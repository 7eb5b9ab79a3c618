"""A CloudFormation template of what `apply` makes, from the same description. Pure.

No transform and no macro, because StackSets refuse them with service-managed permissions
(cloudformation-limits). No ARN is written out: account, Region and partition are AWS's pseudo
parameters, so one template serves every account and Region of a partition.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shnotify.arns import Scope, partition_of
from shnotify.config.models import Config
from shnotify.engine.graph import Graph
from shnotify.engine.resource import Resource
from shnotify.engine.template import Input, Part, Ref
from shnotify.engine.values import Late, Pattern, Policy, Tags, late_parts
from shnotify.errors import UsageError
from shnotify.notifier import names
from shnotify.notifier.desired import build
from shnotify.resources.function import Function
from shnotify.resources.functionparts import CODE_BUCKET
from shnotify.resources.queue import Queue
from shnotify.resources.rule import Rule
from shnotify.resources.topic import Topic
from shnotify.tags import MANAGED_TAG, STACK_TAG

INLINE_BYTES = 51_200
"""What CreateStack and CreateStackSet take as text (cloudformation-limits)."""
BUCKET_BYTES = 1_000_000
"""What they take from a bucket (cloudformation-limits: 1 MB)."""
MOST = {"Parameters": 200, "Resources": 500, "Outputs": 200}
"""What one template may declare (cloudformation-limits)."""

_PSEUDO = {
    "\ue000": "AWS::Partition",
    "\ue001": "AWS::Region",
    "\ue002": "AWS::AccountId",
    "\ue003": "AWS::StackName",
}
"""Private-use characters that stand for a pseudo parameter while the graph is built."""
_PARTITION, _REGION, _ACCOUNT, _STACK = _PSEUDO
_WIDEST = Scope("aws", "ap-southeast-1", "123456789012")
"""A scope with the longest Region name: limits on lengths are checked against it."""
_MARK = re.compile("[\ue000-\ue003]")


@dataclass
class _Template:
    """Collects what a template is made of.

    attributes  for each resource id, how Fn::GetAtt calls its attributes
    keeps       whether keys and queues outlive the stack
    bucket      where the functions' code lies, with {region}; "" for a parameter
    """

    attributes: Mapping[str, Mapping[str, str]]
    keeps: bool = True
    bucket: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    resources: dict[str, Any] = field(default_factory=dict)

    def add(self, part: Part, after: list[str]) -> None:
        entry: dict[str, Any] = {"Type": part.type}
        if part.keeps and self.keeps:
            entry["DeletionPolicy"] = "RetainExceptOnCreate"
            entry["UpdateReplacePolicy"] = "Retain"
        if after:
            entry["DependsOn"] = after
        entry["Properties"] = self.value(dict(part.properties))
        self.resources[part.id] = entry

    def value(self, value: Any) -> Any:
        """Turns a property's value into a template's."""
        match value:
            case Input() if self.bucket and value == CODE_BUCKET:
                return self._text(self.bucket.replace("{region}", _REGION))
            case Input():
                return self._parameter(value)
            case Ref():
                return {"Ref": value.id}
            case Policy() | Pattern():
                return self.value(value.document)
            case Tags():
                return [self.value(tag) for tag in _owned_by_the_stack(value).to_list()]
            case dict():
                return {key: self.value(item) for key, item in value.items()}
            case list() | tuple():
                return [self.value(item) for item in value]
            case str():
                return self._text(value)
            case _:
                return value

    def _parameter(self, wanted: Input) -> dict[str, str]:
        entry = {"Type": "String", "Description": wanted.description, "MinLength": 1}
        if wanted.default is not None:
            entry["Default"] = wanted.default
        self.parameters[wanted.id] = entry
        return {"Ref": wanted.id}

    def _text(self, text: str) -> Any:
        """Returns the text, or `Fn::GetAtt` or `Fn::Sub` where the text waits for something."""
        references = text.references() if isinstance(text, Late) else []
        if not references and not _MARK.search(text):
            return str(text)
        if len(references) == 1 and text == "${{{}.{}}}".format(*references[0]):
            resource, attribute = references[0]
            return {"Fn::GetAtt": [resource, self._attribute(resource, attribute)]}
        # `${!x}` is a literal `${x}` (Fn::Sub); what is ours comes back after the escape.
        escaped = text.replace("${", "${!")
        for resource, attribute in references:
            ours = f"${{{resource}.{self._attribute(resource, attribute)}}}"
            escaped = escaped.replace(f"${{!{resource}.{attribute}}}", ours)
        return {"Fn::Sub": _MARK.sub(lambda mark: f"${{{_PSEUDO[mark[0]]}}}", escaped)}

    def _attribute(self, resource: str, attribute: str) -> str:
        return self.attributes[resource].get(attribute, attribute)


def template(config: Config, *, keeps: bool = True, bucket: str = "") -> dict[str, Any]:
    """Makes the template. Raises UsageError for what no single template can say.

    keeps   whether keys and queues outlive the stack
    bucket  where the functions' code lies, {region} for the stack's Region; "" for a parameter
    """
    graph = graph_for_export(config)
    made = _Template({thing.id: thing.GETATT for thing in graph}, keeps, bucket)
    parts = {thing.id: thing.cfn() for thing in graph}
    for thing in graph:
        own, *others = parts[thing.id]
        # Nothing may match before the permissions of what it needs are there.
        after = [extra.id for need in sorted(thing.needs()) for extra in parts[need][1:]]
        if isinstance(thing, Rule):  # no property names what takes from the queue it sends to
            after += [target for target, _ in late_parts(thing.behind)]
        made.add(own, after)
        for part in others:
            made.add(part, [])
    document: dict[str, Any] = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"shnotify: the notifier {config.name}, from Security Hub to inboxes.",
        "Parameters": made.parameters,
        "Resources": made.resources,
        "Outputs": _outputs(graph),
    }
    for section, most in MOST.items():
        if (count := len(document[section])) > most:
            raise UsageError(
                f"the template has {count} {section.lower()}, and CloudFormation takes {most}",
                hint="divide the routes between two files",
            )
    return document


def graph_for_export(config: Config) -> Graph:
    """Builds the notifier's graph with pseudo parameters in place of account and Region.

    The file's Region settles the partition, for the console's address is another in each.
    """
    build(config, _WIDEST)  # raises for what is too long once the names are filled in
    partition = partition_of(config.region) if config.region else "aws"
    general = Scope(_PARTITION if partition == "aws" else partition, _REGION, _ACCOUNT)
    if not any(_digested(config, route) for route in config.routes):
        return build(config, general)
    if not config.region:
        raise UsageError(
            "the name of a formatter's role would hold a digest of the Region, and no template can say that",
            hint="name the Region in the file, or shorten the notifier's or the route's name",
        )
    return build(config, Scope(general.partition, config.region, _ACCOUNT))


def _digested(config: Config, route: Any) -> bool:
    """Tells whether a role's name is too long to be written with the Region in it (64)."""
    if route.message.format != "lambda":
        return False
    return len(f"{names.function_name(config, route)}-{_WIDEST.region}") > 64


def _owned_by_the_stack(tags: Tags) -> Tags:
    """Returns the tags of a thing that a stack keeps, so that `apply` leaves the thing alone."""
    return Tags.of({**tags.to_dict(), MANAGED_TAG: "cloudformation", STACK_TAG: _STACK})


_UNDELIVERED = "What could not be delivered."


def _outputs(graph: Graph) -> dict[str, Any]:
    """Names what other tools want to know: the topics and the queue."""
    found: dict[str, Any] = {}
    for thing in graph:
        if isinstance(thing, Topic):
            found[f"{thing.id}Arn"] = _output("Where the alerts are published.", thing)
        elif isinstance(thing, Queue):
            words = "What is still to be mailed." if thing.redrive_policy else _UNDELIVERED
            found[f"{thing.id}Url"] = _output(words, thing)
    return found


def _output(words: str, thing: Resource) -> dict[str, Any]:
    return {"Description": words, "Value": {"Ref": thing.id}}


def archives(config: Config) -> dict[str, bytes]:
    """Maps each function's key in the bucket to its archive."""
    graph = graph_for_export(config)
    return {thing.code_key(): thing.zip_file for thing in graph if isinstance(thing, Function)}


def as_json(document: Mapping[str, Any], *, small: bool = False) -> str:
    """Writes JSON in ASCII: of all else AWS gives back question marks, though it makes what was meant
    (aws-cloudformation/cloudformation-coverage-roadmap #814, #1220).
    """
    if small:
        return json.dumps(document, separators=(",", ":"))
    return json.dumps(document, indent=2)


def as_yaml(document: Mapping[str, Any]) -> str:
    """Writes YAML that every parser reads alike, in ASCII too: no anchors, no short tags."""
    import yaml

    class _Plain(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 the base class's signature
            return True

    text: str = yaml.dump(document, Dumper=_Plain, sort_keys=False, width=100)
    return text
