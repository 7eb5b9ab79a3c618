"""What a notifier's things are called: their resource ids, and the names in AWS that no field of
the file gives.

Every id and every such name is spelled here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Container

from shnotify.arns import shortened
from shnotify.config.models import Config, Route
from shnotify.config.rules import PART_NAMES
from shnotify.engine.values import Tags
from shnotify.tags import MANAGED_TAG, NAME_TAG, RESOURCE_TAG

TOPIC_KEY = "TopicKey"
DLQ_KEY = "DlqKey"
DLQ = "Dlq"
WATCHDOG_TOPIC = "WatchdogTopic"
HEARTBEAT = "WatchdogHeartbeat"
HEARTBEAT_ROLE = "WatchdogHeartbeatRole"
HEARTBEAT_DLQ = "WatchdogHeartbeatDlq"


def tags_of(config: Config, resource_id: str) -> Tags:
    """Returns the tags of a resource: the file's, and ours that tell whose it is."""
    ours = {NAME_TAG: config.name, RESOURCE_TAG: resource_id, MANAGED_TAG: "shnotify"}
    return Tags.of({**config.tags, **ours})


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


def stack_set_name(config: Config) -> str:
    """Names the stack set that carries the notifier to other accounts."""
    return f"shnotify-{config.name}"


def watchdog_topic_name(config: Config) -> str:
    """The name of the topic that alarms tell; `whole` in `config.crosschecks` keeps it free."""
    return f"{config.name}-watchdog"


def heartbeat_name(config: Config) -> str:
    """The name of the heartbeat's schedule and of its group."""
    return f"{config.name}-heartbeat"


def alarm_name(config: Config, watched_id: str, ending: str) -> str:
    """`NAME-UrgentRule-FailedInvocations`, at most 255 characters (API_PutMetricAlarm)."""
    return f"{config.name}-{watched_id}-{ending}"


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
