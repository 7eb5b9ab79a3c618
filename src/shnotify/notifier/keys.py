"""The notifier's keys: one for the topics and one for the queue, ours or somebody's. Pure."""

from __future__ import annotations

from shnotify.arns import Scope
from shnotify.config.models import Config, Encryption, ExistingKey, ManagedKey
from shnotify.engine.values import Policy
from shnotify.notifier import names, undelivered
from shnotify.resources import policies
from shnotify.resources.key import Key


def keys(config: Config, scope: Scope) -> tuple[Key | str, Key | str]:
    """Returns the topics' key and the queue's key: ours, an existing key's ARN, or "" for none."""
    encryption: Encryption | None = config.encryption
    if not encryption:
        return "", ""
    topic = _key(config, names.TOPIC_KEY, encryption.topic_key, scope)
    return topic, _key(
        config, names.DLQ_KEY, encryption.dlq_key, scope
    ) if config.dead_letter_queue else ""


def _key(
    config: Config, resource_id: str, key: ManagedKey | ExistingKey, scope: Scope
) -> Key | str:
    if isinstance(key, ExistingKey):
        return key.arn
    return Key(
        id=resource_id,
        serves="queue" if resource_id == names.DLQ_KEY else "topic",
        alias_name=key.alias,
        description=key.description,
        enable_key_rotation=key.rotation,
        pending_window_in_days=key.deletion_window,
        key_policy=_key_policy(config, resource_id, scope),
        tags=names.tags_of(config, resource_id),
    )


def _key_policy(config: Config, resource_id: str, scope: Scope) -> Policy:
    if resource_id != names.DLQ_KEY:
        return policies.key_policy(scope)
    return policies.queue_key_policy(scope, undelivered_mail=undelivered.keeps_mail(config, scope))


def arn_of(key: Key | str) -> str:
    return key.ref("Arn") if isinstance(key, Key) else key
