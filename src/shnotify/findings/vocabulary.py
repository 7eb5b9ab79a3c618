"""One neutral vocabulary for findings, and how each of Security Hub's two event schemas says it.

Pure.

`cspm`: AWS Security Finding Format (ASFF), Security Hub CSPM. `hub`: OCSF, the new Security Hub.
Sources: Security Hub User Guide (asff-required-attributes, asff-top-level-attributes, ocsf-
findings, securityhub-cwe-event-formats, securityhub-v2-cwe-event-formats) and the SDK's
enumerations.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from shnotify.findings.resourcetypes import ASFF_TYPES, CLOUDFORMATION_TYPES

Matcher = str | dict[str, str]
"""One value as a pattern writes it: text to equal, or {"suffix": text}."""


class TranslationError(ValueError):
    """A value that this schema has no sure word for; the text says why and what would be right."""


class Schema(NamedTuple):
    """Describes one event schema.

    `paths`: neutral field -> where it is in a finding; `words`: the closed enumerations.
    """

    name: str
    detail_type: str
    paths: Mapping[str, tuple[str, ...]]
    words: Mapping[str, Mapping[str, tuple[str, ...]]]

    def matchers(self, field: str, value: str) -> tuple[Matcher, ...]:
        """Returns how this schema writes a neutral value.

        Raises TranslationError.
        """
        if field in self.words:
            if value in self.words[field]:
                return self.words[field][value]
            known = ", ".join(self.words[field])
            raise TranslationError(
                f"'{value}' has no counterpart in {self.detail_type} events (known: {known})"
            )
        if field == "products":
            return (_product(self.name, value),)
        if field in _TRANSLATE:
            return _TRANSLATE[field](self.name, value)
        return (value,)


ARRAYS = frozenset({"resource_ids", "resource_types", "types"})
"""Fields that hold, or stand below, arrays: EventBridge cannot exclude there (see `pattern`)."""

CSPM = Schema(
    name="cspm",
    detail_type="Security Hub Findings - Imported",
    paths={
        "severity": ("Severity", "Label"),
        "workflow_status": ("Workflow", "Status"),
        "record_state": ("RecordState",),
        "compliance_status": ("Compliance", "Status"),
        "accounts": ("AwsAccountId",),
        "products": ("ProductArn",),
        "resource_ids": ("Resources", "Id"),
        "resource_types": ("Resources", "Type"),
        "types": ("Types",),
        "controls": ("Compliance", "SecurityControlId"),
        "regions": ("Region",),
    },
    words={
        "severity": {
            word: (word,) for word in ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL")
        },
        "workflow_status": {
            word: (word,) for word in ("NEW", "NOTIFIED", "RESOLVED", "SUPPRESSED")
        },
        "record_state": {word: (word,) for word in ("ACTIVE", "ARCHIVED")},
        "compliance_status": {
            word: (word,) for word in ("PASSED", "WARNING", "FAILED", "NOT_AVAILABLE")
        },
    },
)

HUB = Schema(
    name="hub",
    detail_type="Findings Imported V2",
    paths={
        "severity": ("severity",),
        "workflow_status": ("status",),
        "record_state": ("activity_name",),
        "compliance_status": ("compliance", "status"),
        "accounts": ("cloud", "account", "uid"),
        "products": ("metadata", "product", "uid"),
        "resource_ids": ("resources", "uid"),
        "resource_types": ("resources", "type"),
        "types": ("finding_info", "types"),
        "controls": ("compliance", "control"),
        "regions": ("cloud", "region"),
    },
    words={
        # OCSF's Fatal lies above Critical, so whoever wants CRITICAL wants it too.
        "severity": {
            "CRITICAL": ("Critical", "Fatal"),
            "HIGH": ("High",),
            "MEDIUM": ("Medium",),
            "LOW": ("Low",),
            "INFORMATIONAL": ("Informational",),
        },
        # OCSF has no "notified"; automated-security-response-on-aws equates it with In Progress.
        "workflow_status": {
            "NEW": ("New",),
            "NOTIFIED": ("In Progress",),
            "RESOLVED": ("Resolved",),
            "SUPPRESSED": ("Suppressed",),
        },
        # Active is "not closed" (ocsf-findings), so ARCHIVED is the only state with a word of its
        # own.
        "record_state": {"ARCHIVED": ("Close",)},
        "compliance_status": {"PASSED": ("Pass",), "WARNING": ("Warning",), "FAILED": ("Fail",)},
    },
)

SCHEMAS: dict[str, tuple[Schema, ...]] = {"cspm": (CSPM,), "hub": (HUB,), "both": (CSPM, HUB)}

# Names at the end of AWS's own product ARNs (DescribeProducts); anything else is written as
# company/product.
AWS_PRODUCTS = (
    "access-analyzer",
    "config",
    "detective",
    "firewall-manager",
    "guardduty",
    "health",
    "inspector",
    "iot-device-defender",
    "macie",
    "securityhub",
    "securityhub-coverage",
    "securityhub-exposure",
    "ssm-patch-manager",
)
_PRODUCT_ALIASES = {
    "iam-access-analyzer": "access-analyzer",
    "patch-manager": "ssm-patch-manager",
    "security-hub": "securityhub",
}
_SHORT_PRODUCT = r"(?i:[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)?)"
_PRODUCT_ARN = r"(arn:[^:]+:securityhub:[^:]*:[^:]*:)(product|productv2)/(.+)"


def _product(schema: str, value: str) -> Matcher:
    """Turns a short name into a suffix, because the ARN's Region is not known.

    A full ARN stands for itself.
    """
    kind = "product" if schema == "cspm" else "productv2"
    if arn := re.fullmatch(_PRODUCT_ARN, value):
        if arn[2] != kind and not arn[3].startswith("aws/"):
            raise TranslationError(
                f"'{value}' is an ARN of the other schema; here it would be {kind}/..."
            )
        return f"{arn[1]}{kind}/{arn[3]}"
    name = value.lower()
    name = _PRODUCT_ALIASES.get(name, name)
    if not re.fullmatch(_SHORT_PRODUCT, name):
        raise TranslationError(
            f"'{value}' is neither a product ARN nor a short name such as guardduty"
        )
    if "/" not in name:
        if name not in AWS_PRODUCTS:
            from difflib import get_close_matches

            near = get_close_matches(name, (*AWS_PRODUCTS, *_PRODUCT_ALIASES), n=1)
            hint = f"did you mean {near[0]}?" if near else f"(known: {', '.join(AWS_PRODUCTS)})"
            text = f"no AWS product '{value}' is known{':' if near else ''} {hint}"
            raise TranslationError(
                f"{text}{' Else' if near else ';'} write aws/{name}, company/product or the ARN"
            )
        name = f"aws/{name}"
    # Third parties' ARNs can hold an account before the product, AWS's own never do.
    return {"suffix": f"{'::' if name.startswith('aws/') else ':'}{kind}/{name}"}


def _resource_type(schema: str, value: str) -> tuple[Matcher, ...]:
    """Translates between ASFF's AwsS3Bucket and OCSF's AWS::S3::Bucket.

    Both are understood, and translated where the pair is known.
    """
    if value.startswith("AWS::") == (schema == "hub") or not re.match(r"Aws[A-Z]|AWS::", value):
        return (value,)
    if schema == "hub":
        translated = CLOUDFORMATION_TYPES.get(value)
        wanted = "AWS::Service::Type (OCSF's spelling)"
    else:
        translated = ASFF_TYPES.get(value)
        wanted = "AwsServiceType (ASFF's spelling)"
    if translated is None:
        text = f"no counterpart of '{value}' is known for source: {schema}"
        raise TranslationError(f"{text}; write it as {wanted} in a route with that source alone")
    return (translated,)


def _resource_id(schema: str, value: str) -> tuple[Matcher, ...]:
    """Translates the account's own id: AWS::::Account:ID in ASFF, the bare ID in OCSF.

    Other ids are the same in both.
    """
    if account := re.fullmatch(r"(?:AWS::::Account:)?(\d{12})", value):
        return (f"AWS::::Account:{account[1]}",) if schema == "cspm" else (account[1],)
    return (value,)


_TRANSLATE: dict[str, Callable[[str, str], tuple[Matcher, ...]]] = {
    "resource_types": _resource_type,
    "resource_ids": _resource_id,
}
