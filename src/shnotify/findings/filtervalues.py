"""Values of filters that can match nothing: impossible ones are errors, unknown ones are doubts.

Pure.

Sources: Security Hub User Guide (securityhub-controls-reference, asff-required-attributes: finding
types, resources).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from shnotify.findings.resourcetypes import ASFF_ALONE, ASFF_TYPES, CLOUDFORMATION_TYPES
from shnotify.schema.regions import region_doubt, region_problem

_CONTROL = re.compile(r"[A-Z][A-Za-z0-9]*\.[1-9][0-9]*")
_SERVICES = """
Account ACM Amplify APIGateway AppConfig AppFlow AppRunner AppSync Athena AutoScaling Backup Batch
BedrockAgentCore CloudFormation CloudFront CloudTrail CloudWatch CodeArtifact CodeBuild CodeGuruProfiler
CodeGuruReviewer Cognito Config Connect Coverage DataFirehose DataSync Detective DMS DocumentDB DynamoDB EC2 ECR
ECS EFS EKS ElastiCache ElasticBeanstalk ELB EMR ES EventBridge FraudDetector FSx GlobalAccelerator Glue
GuardDuty IAM Inspector IoT IoTEvents IoTSiteWise IoTTwinMaker IoTWireless IVS Keyspaces Kinesis KMS Lambda
Macie MQ MSK Neptune NetworkFirewall Opensearch PCA RDS Redshift RedshiftServerless Route53 S3 SageMaker
SecretsManager ServiceCatalog SES SNS SQS SSM StepFunctions Transfer WAF WorkSpaces
"""
_SERVICE_BY_LOWER = {name.lower(): name for name in _SERVICES.split()}
_NAMESPACES = (
    "Software and Configuration Checks",
    "Software & Configuration Checks",
    "TTPs",
    "Effects",
    "Unusual Behaviors",
    "Sensitive Data Identifications",
)
"""The second is Systems Manager Patch Manager's own spelling of the first."""
_LISTED = ", ".join(name for name in _NAMESPACES if "&" not in name)


def _control_id(value: str) -> str | None:
    if _CONTROL.fullmatch(value):
        return None
    found = re.fullmatch(r"\s*([A-Za-z0-9]*[A-Za-z]|[A-Za-z]+[0-9]+)[ ._-]*([1-9][0-9]*)\s*", value)
    split = re.fullmatch(r"([A-Za-z0-9]+)[ ._-]+0*([1-9][0-9]*)", value.strip()) or found
    service = _SERVICE_BY_LOWER.get(split[1].lower()) if split else None
    if split and service:
        return f"is no control id: did you mean {service}.{split[2]}?"
    return "is no control id such as S3.1 or EC2.19"


def _near(word: str, known: Iterable[str], cutoff: float) -> list[str]:
    """Returns the known word that is nearest, if one is near enough."""
    from difflib import get_close_matches

    return get_close_matches(word, list(known), n=1, cutoff=cutoff)


def _control_doubt(value: str) -> str | None:
    service, _, number = value.partition(".")
    if service in _SERVICE_BY_LOWER.values():
        return None
    near = _near(service.lower(), _SERVICE_BY_LOWER, 0.5)
    hint = f": did you mean {_SERVICE_BY_LOWER[near[0]]}.{number}?" if near else ""
    return f"no controls of {service!r} are known{hint}"


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower()).removeprefix("aws")


_KNOWN_TYPES = {_bare(name): name for name in (*sorted(ASFF_ALONE), *CLOUDFORMATION_TYPES)}


def _resource_type(value: str) -> str | None:
    """Judges a resource type; products may invent types, so only a misspelt known type is wrong."""
    if value in CLOUDFORMATION_TYPES or value in ASFF_TYPES or value in ASFF_ALONE:
        return None
    if value.startswith("AWS::"):
        same = [name for name in ASFF_TYPES if name.lower() == value.lower()]
        return f"is no resource type: did you mean {same[0]}?" if same else None
    known = _KNOWN_TYPES.get(_bare(value))
    return f"is no resource type: did you mean {known}?" if known else None


def _resource_type_doubt(value: str) -> str | None:
    if value in CLOUDFORMATION_TYPES or value in ASFF_TYPES or value in ASFF_ALONE:
        return None
    if re.fullmatch(r"AWS::[A-Za-z0-9]+::[A-Za-z0-9]+", value):
        near = _near(value, ASFF_TYPES, 0.8)
    else:
        found = _near(_bare(value), _KNOWN_TYPES, 0.8)
        near = [_KNOWN_TYPES[name] for name in found]
    if not near and value.startswith("AWS::"):
        return None  # CloudFormation has far more types than the table of those that ASFF has too
    hint = f": did you mean {near[0]}?" if near else "; AWS writes AwsS3Bucket, or AWS::S3::Bucket"
    return f"no resource type {value!r} is known{hint}"


def _finding_type(value: str) -> str | None:
    namespace = value.partition("/")[0]
    if namespace in _NAMESPACES or "/" in value:
        return None
    known = {name.lower(): name for name in _NAMESPACES}
    near = _near(namespace.lower(), known, 0.6)
    hint = f": did you mean {known[near[0]]!r}?" if near else f"; namespaces are {_LISTED}"
    return f"is no finding type (namespace/category/classifier){hint}"


def _finding_type_doubt(value: str) -> str | None:
    namespace, _, rest = value.partition("/")
    if namespace in _NAMESPACES:
        return None
    known = {name.lower(): name for name in _NAMESPACES}
    near = _near(namespace.lower(), known, 0.6)
    hint = f": did you mean '{known[near[0]]}/{rest}'?" if near else f" ({_LISTED})"
    return f"no finding type begins with {namespace!r}{hint}"


Judge = Callable[[str], str | None]

IMPOSSIBLE: Mapping[str, Judge] = {
    "controls": _control_id,
    "resource_types": _resource_type,
    "regions": region_problem,
}
"""Field -> why a value can stand in no finding."""
IMPOSSIBLE_IN_ASFF: Mapping[str, Judge] = {"types": _finding_type}
"""The same where only findings in ASFF are asked for; OCSF's types have no fixed form."""
DOUBTFUL: Mapping[str, Judge] = {
    "controls": _control_doubt,
    "resource_types": _resource_type_doubt,
    "regions": region_doubt,
}
"""Field -> what is worth a warning in a value that is possible."""
DOUBTFUL_IN_ASFF: Mapping[str, Judge] = {"types": _finding_type_doubt}


def judged(
    judges: Iterable[Mapping[str, Judge]], values: Mapping[str, Iterable[str] | None]
) -> list[tuple[str, int, str, str]]:
    """Yields field, number, value and message of every value that a judge speaks against."""
    found = []
    for field, judge in (pair for one in judges for pair in one.items()):
        for number, value in enumerate(values.get(field) or ()):
            if message := judge(value):
                found.append((field, number, value, message))
    return found
