"""What a notifier's things are called: their resource ids, and the names in AWS that no field of
the file gives.

Every id and every such name is spelled here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Container

from shnotify.arns import shortened
from shnotify.config.models import Config, Route
from shnotify.config.rules import PART_NAMES

TOPIC_KEY = "TopicKey"
DLQ_KEY = "DlqKey"
DLQ = "Dlq"


def topic_id(route: Route) -> str:
    """`UrgentTopic`."""
    return f"{route.id}Topic"


def rule_id(route: Route, part: str = "") -> str:
    """`UrgentRule`, and `UrgentRulePlain`, `UrgentRuleHub`, `UrgentRuleHubPlain` beside it."""
    return f"{route.id}Rule{part}"


def rule_ids(route: Route, among: Container[str]) -> list[str]:
    """Lists the ids of the route's rules that are among these ids, the first rule first."""
    return [found for part in PART_NAMES if (found := rule_id(route, part)) in among]


def formatter_id(route: Route) -> str:
    """`UrgentFormatter`."""
    return f"{route.id}Formatter"


def formatter_role_id(route: Route) -> str:
    """`UrgentFormatterRole`."""
    return f"{route.id}FormatterRole"


def formatter_logs_id(route: Route) -> str:
    """`UrgentFormatterLogs`."""
    return f"{route.id}FormatterLogs"


def buffer_id(route: Route) -> str:
    """`UrgentBuffer`: the queue that collects findings for the function."""
    return f"{route.id}Buffer"


def mapping_id(route: Route) -> str:
    """`UrgentMapping`: what takes batches from the buffer to the function."""
    return f"{route.id}Mapping"


def buffer_name(config: Config, route: Route) -> str:
    """The buffer's name in AWS, at most 80 characters (API_CreateQueue)."""
    return shortened(f"{config.name}-{route.name}-buffer", 80)


def function_name(config: Config, route: Route) -> str:
    """The formatter's name in AWS, at most 64 characters (API_CreateFunction)."""
    return shortened(f"{config.name}-{route.name}-formatter")
