"""Whether somebody is told when mail is lost: alarms of anybody's on the metrics that show it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shnotify.aws.failures import AwsError
from shnotify.engine.health import Link
from shnotify.notifier.inquiry import Answers
from shnotify.notifier.words import unread


def watchdog_links(
    queues: Iterable[str], topics: Iterable[str], answers: Answers
) -> Iterator[Link]:
    """Judges whether an alarm would tell somebody that mail is lost.

    An alarm that mails through the very topic that it watches hides its own fault.
    """
    if not answers.alarms:
        return
    errors = [found for found in answers.alarms.values() if isinstance(found, AwsError)]
    if errors:
        yield unread("watchdog", "the alarms", errors[0])
        return
    alarms = [
        alarm
        for found in answers.alarms.values()
        if not isinstance(found, AwsError)
        for alarm in found
    ]
    own = set(topics)
    acting = [
        alarm
        for alarm in alarms
        if alarm.get("ActionsEnabled", True) and set(alarm.get("AlarmActions") or ()) - own
    ]
    names = sorted(str(alarm.get("AlarmName", "")) for alarm in alarms)
    if acting:
        yield Link("watchdog", "ok", evidence={"alarms": names})
    elif alarms:
        why = f"{', '.join(names)} would tell nobody, or only through the topic that it watches"
        yield Link("watchdog", "warning", why, evidence={"alarms": names})
    else:
        what = ", ".join(queues) or "its failures"
        why = f"no alarm watches {what}: when mail is lost, nobody is told"
        yield Link("watchdog", "warning", why)
