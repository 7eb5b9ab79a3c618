"""The kinds of AWS resources, in the order in which a removal takes them."""

from __future__ import annotations

from shnotify.arns import service_of
from shnotify.engine.permissions import calls
from shnotify.engine.resource import Resource
from shnotify.engine.values import Tags
from shnotify.resources.alarm import Alarm
from shnotify.resources.function import Function
from shnotify.resources.key import Key
from shnotify.resources.loggroup import LogGroup
from shnotify.resources.mapping import EventSourceMapping
from shnotify.resources.queue import Queue
from shnotify.resources.role import Role
from shnotify.resources.rule import Rule
from shnotify.resources.schedule import Schedule
from shnotify.resources.subscription import Subscription
from shnotify.resources.topic import Topic

KINDS: tuple[type[Resource], ...] = (
    Alarm,
    Schedule,
    Rule,
    EventSourceMapping,
    Function,
    Role,
    LogGroup,
    Subscription,
    Topic,
    Queue,
    Key,
)
"""First what sends, last what everything is encrypted with.

A new kind is one file and one name here.
"""

for _rank, _kind in enumerate(KINDS):
    _kind.RANK = _rank

READS = frozenset[str]().union(
    calls("sts", "GetCallerIdentity"),
    calls("tag", "GetResources"),
    calls("securityhub", "DescribeHub", "DescribeSecurityHubV2"),
    calls("events", "TestEventPattern"),
    calls("sns", "GetSubscriptionAttributes"),
    *(kind.PERMISSIONS.read for kind in KINDS),
)
"""The operations of a read-only run.

Anything else is refused before it is sent, in production too.
"""


def thing_at(arn: str, tags: Tags) -> Resource | None:
    """Returns the resource that an ARN names, with nothing wanted of the resource.

    None for a kind that is not ours.
    """
    found = (kind.at(arn, tags) for kind in KINDS) if service_of(arn) else ()
    return next((thing for thing in found if thing), None)
