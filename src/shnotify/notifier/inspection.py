"""Gathers everything that is known about single findings, and follows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from shnotify.arns import Scope
from shnotify.aws.failures import AwsError, StopError
from shnotify.aws.gateway import Aws
from shnotify.config.models import Config
from shnotify.engine.graph import Graph
from shnotify.engine.plan import Observation
from shnotify.engine.resource import Live
from shnotify.errors import ShnotifyError
from shnotify.formatter.finding import read
from shnotify.notifier import evidence, names
from shnotify.notifier.following import AFTER, BEFORE, metrics_for, traced
from shnotify.notifier.history import History, history_of
from shnotify.notifier.passage import Passage
from shnotify.notifier.tracing import Evidence, Trace
from shnotify.resources.loggroup import LogGroup
from shnotify.resources.queue import Queue


def now_of(aws: Aws) -> datetime:
    """Returns the time of day by the gateway's clock."""
    return datetime.fromtimestamp(aws.clock.wall(), UTC)


class Inspection:
    """Follows findings through one notifier that was looked at.

    passages  its chains as they stand
    """

    def __init__(
        self,
        aws: Aws,
        config: Config,
        graph: Graph,
        seen: Observation,
        passages: Sequence[Passage],
    ) -> None:
        self._aws = aws
        self._config = config
        self._graph = graph
        self._seen = seen
        self._passages = passages
        self._now = now_of(aws)

    @property
    def _scope(self) -> Scope:
        return self._aws.scope

    def one(self, identity: str, findings: Sequence[dict[str, Any]]) -> Trace:
        """Follows a finding that one or both Security Hubs have."""
        histories = self._histories(findings)
        known = self._evidence(histories, identity if len(findings) == 1 else None)
        return traced(identity, histories, self._config, self._passages, self._scope, known)

    def all(self, findings: Sequence[dict[str, Any]]) -> tuple[Trace, ...]:
        """Follows several findings, with one look at log, queue and counts for all of them."""
        histories = self._histories(findings)
        known = self._evidence(histories, None)
        return tuple(
            traced(_identity(history), [history], self._config, self._passages, self._scope, known)
            for history in histories
        )

    def _histories(self, findings: Sequence[dict[str, Any]]) -> list[History]:
        asked = [self._aws.start(evidence.recorded, self._aws, one) for one in findings]
        return [
            history_of(one, self._aws.in_time(future))
            for one, future in zip(findings, asked, strict=True)
        ]

    def _evidence(self, histories: Sequence[History], identity: str | None) -> Evidence:
        """Reads log, queue and counts around the findings' events.

        identity  the only finding that is asked about, or None
        """
        moments = [one.moment for history in histories for one in history.versions if one.moment]
        begin = min(moments, default=self._now) - BEFORE
        end = min(self._now, max(moments, default=self._now) + AFTER)
        end = max(end, begin + timedelta(minutes=1))
        aws = self._aws
        logs = {
            route.name: aws.start(
                evidence.sends, aws, self._log_group(route), begin, self._now, identity
            )
            for route in self._config.routes
            if route.message.format == "lambda"
        }
        metrics = tuple(
            dict.fromkeys(metric for route in self._config.routes for metric in metrics_for(route))
        )
        counted = aws.start(evidence.counts, aws, metrics, begin, end, self._now)
        born = aws.start(self._born)
        return Evidence(
            sent={name: evidence.or_refused(aws, future) for name, future in logs.items()},
            stuck=self._stuck(),
            counted=aws.in_time(counted),
            step=evidence.step_for(begin, end, self._now),
            born=aws.in_time(born),
        )

    def _log_group(self, route: Any) -> str:
        group = self._graph[names.formatter_logs_id(route)]
        assert isinstance(group, LogGroup)  # noqa: S101 what `desired` builds under this id
        return group.log_group_name

    def _stuck(self) -> Any:
        if not self._config.dead_letter_queue:
            return None
        queue = self._graph[names.DLQ]
        assert isinstance(queue, Queue)  # noqa: S101 what `desired` builds under this id
        try:
            return evidence.stuck_in(self._aws, queue.queue_arn, self._config, self._scope)
        except StopError:
            raise
        except AwsError as error:
            return error
        except ShnotifyError as error:
            return AwsError(error.message, hint=error.hint, code=error.code)

    def _born(self) -> datetime | None:
        """Returns when the topics' own key was made, if there is one and it can be read."""
        key = self._seen.wanted.get(names.TOPIC_KEY)
        if not isinstance(key, Live):
            return None
        try:
            reply = self._aws(self._aws.kms.describe_key, KeyId=key.outputs["Arn"])
        except StopError:
            raise
        except AwsError:
            return None
        made = reply["KeyMetadata"].get("CreationDate")
        return made.astimezone(UTC) if isinstance(made, datetime) else None


def _identity(history: History) -> str:
    view = read(history.newest.finding, {})
    return view.id or view.uid
