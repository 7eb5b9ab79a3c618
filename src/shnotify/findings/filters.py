"""The `findings:` of a route as models: which findings are notified, and what is left out.

Also the base of all models of the file, and how their fields are described.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from shnotify.schema import scalars as fields
from shnotify.schema.model import Before, Chosen, Model, Text, at_most, described


def _any_is_none(value: Any) -> Any:
    return None if value == "any" else value


def _values(values: Any) -> Any:
    if isinstance(values, list) and not values:
        raise ValueError("an empty list matches nothing: write `any` for no filter")
    if isinstance(values, str):
        raise ValueError(f"must be a list, such as [{values}], or `any`")
    if isinstance(values, list) and "any" in values:
        raise ValueError("`any` is no value of a list: it stands alone, for no filter")
    return values


T = TypeVar("T")
Filter = Annotated[
    tuple[T, ...] | None,
    Before(_values),
    Before(_any_is_none),
    at_most(fields.MAX_VALUES),
]
"""A list of values; `any` is no filter at all."""


Severity = Literal["INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"]


def _products(value: Any) -> Any:
    if isinstance(value, dict):
        if not value:
            raise ValueError("an empty mapping matches nothing: write `any` for no filter")
        return value
    if isinstance(value, str):
        raise ValueError(
            f"must be a list, such as [{value}], a mapping of products to severities, or `any`"
        )
    return _values(value)


def _levels(value: Any) -> Any:
    if value == []:
        raise ValueError("an empty list matches nothing: name severities, or leave the product out")
    if value is None:
        raise ValueError("must be a list of severities, or `any` for all of them")
    return value


def _no_thresholds(value: Any) -> Any:
    if isinstance(
        value, dict
    ):  # its names alone would leave out far more than a reader of it thinks
        raise ValueError(
            "severities cannot stand here: give each product the wanted ones in `findings.products`"
        )
    return value


Levels = Annotated[Filter[Severity], Before(_levels)]
Products = Annotated[
    dict[str, Levels] | tuple[Text, ...] | None,
    Chosen(
        lambda value: 0 if isinstance(value, dict) else 1 if isinstance(value, list | tuple) else 2
    ),
]


class Filters(Model):
    """The fields by which findings are filtered; products have a field of their own."""

    severity: Filter[Severity] = described(default=None)
    workflow_status: Filter[Literal["NEW", "NOTIFIED", "RESOLVED", "SUPPRESSED"]] = described(
        default=None
    )
    record_state: Filter[Literal["ACTIVE", "ARCHIVED"]] = described(default=None)
    compliance_status: Filter[Literal["PASSED", "WARNING", "FAILED", "NOT_AVAILABLE"]] = described(
        default=None
    )
    accounts: Filter[fields.Account] = described(
        default=None, description="Twelve-digit account ids, in quotes."
    )
    resource_ids: Filter[Text] = described(default=None)
    resource_types: Filter[Text] = described(default=None)
    types: Filter[Text] = described(default=None)
    controls: Filter[Text] = described(default=None, description="S3.1, EC2.19 ...")
    regions: Filter[Text] = described(default=None)


class Exclude(Filters):
    """The findings that are left out; the fields are those of `findings`."""

    products: Annotated[Filter[Text], Before(_no_thresholds)] = described(
        default=None, description="Product ARNs or short names."
    )


class Findings(Filters):
    """The findings that are notified: AND between fields, OR between a field's values.

    `any`: no filter on it.
    """

    severity: Filter[Severity] = described(default=("CRITICAL", "HIGH"))
    workflow_status: Filter[Literal["NEW", "NOTIFIED", "RESOLVED", "SUPPRESSED"]] = described(
        default=("NEW",)
    )
    record_state: Filter[Literal["ACTIVE", "ARCHIVED"]] = described(default=("ACTIVE",))
    products: Annotated[
        Products,
        Before(_products),
        Before(_any_is_none),
        at_most(fields.MAX_VALUES),
    ] = described(
        default=None,
        description="As in `exclude`; or short names with their severities, and `any` for the others.",
    )
    exclude: Exclude = described(default_factory=Exclude)
