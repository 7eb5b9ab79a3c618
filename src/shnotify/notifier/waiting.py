"""Waits until everybody of the file has confirmed."""

from __future__ import annotations

from collections.abc import Callable

from shnotify.aws.gateway import Aws
from shnotify.config.models import Config
from shnotify.engine.graph import Graph
from shnotify.notifier.roster import Member, named_in_file

FIRST_SECONDS, MOST_SECONDS = 3.0, 15.0
"""Pauses between two looks: people need minutes, and SNS lists 30 times a second for all of an
account (AWS General Reference, sns quotas).
"""

Show = Callable[[tuple[Member, ...], float], None]
"""Receives all subscribers of the file, and the seconds that are left."""


def wait_until_confirmed(
    aws: Aws, config: Config, graph: Graph, seconds: float, show: Show
) -> tuple[Member, ...]:
    """Returns who has still not confirmed after so many seconds; () as soon as all have.

    One that is missing counts as not confirmed. Raises `AwsError` when nobody can look.
    """
    end = aws.clock.now() + seconds
    pause = FIRST_SECONDS
    while True:
        aws.forget()
        members = named_in_file(aws, config, graph)
        left = max(0.0, end - aws.clock.now())
        show(members, left)
        waiting = tuple(one for one in members if one.who.state != "confirmed")
        if not waiting or not left:
            return waiting
        aws.pause(min(pause, left))
        pause = min(pause * 1.5, MOST_SECONDS)
