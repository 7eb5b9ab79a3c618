"""What writes a route's mails: a function with its role and log, and what folds many into one. Pure."""

from __future__ import annotations

from dataclasses import replace

from shnotify.arns import Scope
from shnotify.config.models import DAY, Config, Route
from shnotify.formatter import HANDLER
from shnotify.mail import archive as bundle
from shnotify.mail.summary import settings_of
from shnotify.notifier import names
from shnotify.notifier.heartbeat import counting
from shnotify.notifier.keys import arn_of
from shnotify.resources import policies
from shnotify.resources.function import Function
from shnotify.resources.key import Key
from shnotify.resources.loggroup import PREFIX, LogGroup
from shnotify.resources.mapping import EventSourceMapping
from shnotify.resources.queue import Queue
from shnotify.resources.role import Role, role_name

FOLDING_SECONDS = 120
"""The function's timeout where it works off batches. The buffer hides a message six times as long
and a window more (services-sqs-configure)."""
FOLDED_AT_ONCE = 500
"""Findings in a batch: what two or three mails can name. More than 10 need a window, and 2 is the
least concurrency that Lambda takes (API_CreateEventSourceMapping)."""
LOG_DAYS = 365
"""How long the formatter's log is kept, which holds ids and no text: Security Hub's CloudWatch.16
wants a year.
"""


def formatter(
    config: Config, route: Route, scope: Scope, uses: policies.Uses
) -> tuple[LogGroup, Role, Function]:
    """Builds the function that writes the mails, after everything that the function needs."""
    name = names.function_name(config, route)
    words = f"Formats the mails of {route.rule.name} (shnotify)."
    logs = LogGroup(
        id=names.formatter_logs_id(route),
        log_group_name=f"{PREFIX}{name}",
        log_group_arn=uses.log_group,
        retention_in_days=LOG_DAYS,
        tags=names.tags_of(config, names.formatter_logs_id(route)),
    )
    role = Role(
        id=names.formatter_role_id(route),
        role_name=role_name(name, scope.region),
        role_arn=scope.role(role_name(name, scope.region)),
        description=words,
        assume_role_policy_document=policies.role_trust(),
        policies=policies.role_policy(uses),
        tags=names.tags_of(config, names.formatter_role_id(route)),
    )
    settings = settings_of(route.message, marker=config.marker(route), topic_arn=route.topic.name)
    settings = counting(config, scope, route, settings)
    archive = bundle.archive(settings.to_text())
    function = Function(
        id=names.formatter_id(route),
        function_name=name,
        function_arn=scope.function(name),
        log_group=logs.ref("Arn"),
        zip_file=archive,
        description=words,
        role=role.ref("Arn"),
        runtime="python3.13",
        handler=HANDLER,
        timeout=FOLDING_SECONDS if route.message.fold else 60,
        memory_size=256,
        environment={},
        code_sha256=bundle.code_sha256(archive),
        event_invoke_config={
            "MaximumRetryAttempts": 2,
            "MaximumEventAgeInSeconds": 21600,
            "OnFailure": uses.queue,
        },
        policy_document=policies.function_policy(scope.function(name), scope.rule(route.rule.name)),
        tags=names.tags_of(config, names.formatter_id(route)),
    )
    return logs, role, function


def folding(
    config: Config,
    route: Route,
    scope: Scope,
    to: tuple[Function, Queue, Key | str],
    rules: list[str],
) -> tuple[Queue, EventSourceMapping]:
    """Builds the buffer queue, and what takes batches from it to the function.

    The buffer has the key of the dead-letter queue, which EventBridge and the function may use
    already, and into which SQS moves what cannot be mailed.
    """
    fold = route.message.fold
    assert fold  # noqa: S101 the caller looked
    function, dead_letters, key = to
    name, buffer_id = names.buffer_name(config, route), names.buffer_id(route)
    buffer = replace(
        dead_letters,
        id=buffer_id,
        queue_name=name,
        queue_arn=scope.queue(name),
        visibility_timeout=6 * FOLDING_SECONDS + fold.window,
        message_retention_period=14 * DAY,
        delay_seconds=0,
        maximum_message_size=1048576,
        receive_message_wait_time_seconds=0,
        kms_master_key_id=arn_of(key),
        policy_document=policies.queue_policy(scope.queue(name), rules, []),
        redrive_policy={"deadLetterTargetArn": dead_letters.ref("Arn"), "maxReceiveCount": 5},
        tags=names.tags_of(config, buffer_id),
    )
    mapping = EventSourceMapping(
        id=names.mapping_id(route),
        event_source_arn=buffer.ref("Arn"),
        queue=name,
        function_name=function.ref("Arn"),
        enabled=True,
        batch_size=FOLDED_AT_ONCE,
        maximum_batching_window_in_seconds=fold.window,
        scaling_config={"MaximumConcurrency": 2},
        function_response_types=("ReportBatchItemFailures",),
        tags=names.tags_of(config, names.mapping_id(route)),
    )
    return buffer, mapping
