"""The notifier that all peers of the benchmark make, as tables of calls: one table a phase.

The shortest tables are the lower bound. The longer ones are what somebody writes who does not count
calls: `sequential` boto3 and the AWS CLI script make those, one after another.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

ACCOUNT = "123456789012"
REGION = "eu-west-1"
MAIL = "secops@example.com"
Replies = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One call.

    params  of the replies so far
    needs   names of the calls that come before
    absent  whether "not found" is the expected answer
    """

    name: str
    service: str
    operation: str
    params: Callable[[Replies], dict[str, Any]]
    needs: tuple[str, ...] = ()
    absent: bool = False


class Pipeline:
    """The calls of each phase for one notifier.

    short  the lower bound's calls; else those of a plain script
    """

    def __init__(self, name: str, endpoint: str, *, short: bool) -> None:
        self.name, self.short = name, short
        self.url = f"{endpoint}/{ACCOUNT}/{name}"
        self.topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}"
        self.queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        self.rule = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{name}"
        self.tags = {"app": "benchmark", "pipeline": name}
        self.pairs = [{"Key": key, "Value": value} for key, value in self.tags.items()]

    def calls(self, phase: str) -> list[Call]:
        found = [Call("who", "sts", "get_caller_identity", lambda _: {})]
        found += [self._key(which, "described", phase == "create") for which in ("topic", "queue")]
        if phase == "create":
            return [*found, *self._created()]
        if phase == "destroy":
            return [*found, *self._destroyed()]
        return [*found, *self._read()]

    def _key(self, which: str, name: str, absent: bool) -> Call:
        return Call(
            f"{which} {name}", "kms", "describe_key", lambda _: {"KeyId": self._alias(which)},
            absent=absent,
        )  # fmt: skip

    def _alias(self, which: str) -> str:
        return f"alias/{self.name}-{which}"

    @staticmethod
    def _id(replies: Replies, call: str) -> str:
        return str(replies[call]["KeyMetadata"]["KeyId"])

    def _policy(self, service: str, actions: list[str], resource: str) -> str:
        ours = {
            "Sid": "Events", "Effect": "Allow", "Principal": {"Service": service},
            "Action": actions, "Resource": resource,
        }  # fmt: skip
        root = {
            "Sid": "Root", "Effect": "Allow", "Action": "kms:*", "Resource": "*",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        }  # fmt: skip
        statements = [root, ours] if resource == "*" else [ours]
        return json.dumps({"Version": "2012-10-17", "Statement": statements})

    def _created(self) -> list[Call]:
        found: list[Call] = []
        service = "events.amazonaws.com"
        for which in ("topic", "queue"):
            policy = self._policy(service, ["kms:Decrypt", "kms:GenerateDataKey*"], "*")
            tags = [{"TagKey": key, "TagValue": value} for key, value in self.tags.items()]
            key = f"{which} key"
            made = {"Description": which, "Policy": policy, "Tags": tags}
            found += [
                Call(key, "kms", "create_key", lambda _, made=made: made, (f"{which} described",)),
                Call(
                    f"{which} alias", "kms", "create_alias",
                    lambda r, w=which: {
                        "AliasName": self._alias(w), "TargetKeyId": self._id(r, f"{w} key")
                    }, (key,),
                ),
                Call(
                    f"{which} rotation", "kms", "enable_key_rotation",
                    lambda r, w=which: {"KeyId": self._id(r, f"{w} key")}, (key,),
                ),
            ]  # fmt: skip
        described = ("topic described", "queue described")
        topic = {
            "KmsMasterKeyId": self._alias("topic"),
            "Policy": self._policy(service, ["sns:Publish"], self.topic),
        }
        queue = {
            "KmsMasterKeyId": self._alias("queue"), "MessageRetentionPeriod": "1209600",
            "Policy": self._policy(service, ["sqs:SendMessage"], self.queue),
        }  # fmt: skip
        pattern = json.dumps({"source": ["aws.securityhub"]})
        target = {"Id": "topic", "Arn": self.topic, "DeadLetterConfig": {"Arn": self.queue}}
        inline = {"Attributes": topic} if self.short else {}
        if not self.short:
            found += self._looks(absent=True)
        found.append(
            Call(
                "topic",
                "sns",
                "create_topic",
                lambda _: {"Name": self.name, "Tags": self.pairs, **inline},
                described,
            )
        )
        for name, value in {} if self.short else topic.items():
            found.append(
                Call(
                    f"topic {name}", "sns", "set_topic_attributes",
                    lambda _, n=name, v=value: {
                        "TopicArn": self.topic, "AttributeName": n, "AttributeValue": v
                    }, ("topic",),
                )
            )  # fmt: skip
        return [
            *found,
            Call(
                "queue", "sqs", "create_queue",
                lambda _: {"QueueName": self.name, "Attributes": queue, "tags": self.tags}, described,
            ),
            Call(
                "rule", "events", "put_rule",
                lambda _: {"Name": self.name, "EventPattern": pattern, "Tags": self.pairs}, described,
            ),
            Call(
                "subscription", "sns", "subscribe",
                lambda _: {"TopicArn": self.topic, "Protocol": "email", "Endpoint": MAIL}, ("topic",),
            ),
            Call(
                "target", "events", "put_targets",
                lambda _: {"Rule": self.name, "Targets": [target]}, ("rule",),
            ),
        ]  # fmt: skip

    def _looks(self, *, absent: bool) -> list[Call]:
        """Looks at the things by name, as a script does before it makes them."""
        return [
            Call(
                "topic seen", "sns", "get_topic_attributes", lambda _: {"TopicArn": self.topic},
                ("who",), absent,
            ),
            Call("queue url", "sqs", "get_queue_url", lambda _: {"QueueName": self.name}, (), absent),
            Call("rule seen", "events", "describe_rule", lambda _: {"Name": self.name}, (), absent),
        ]  # fmt: skip

    def _read(self) -> list[Call]:
        found = [
            Call("rule seen", "events", "describe_rule", lambda _: {"Name": self.name}),
            Call("targets", "events", "list_targets_by_rule", lambda _: {"Rule": self.name}),
        ]
        if not self.short:
            found.append(
                Call("queue url", "sqs", "get_queue_url", lambda _: {"QueueName": self.name})
            )
        for which in ("topic", "queue"):
            before = (f"{which} described",)
            for operation, more in (
                ("get_key_policy", {"PolicyName": "default"}),
                ("get_key_rotation_status", {}),
                ("list_resource_tags", {}),
            ):
                found.append(
                    Call(
                        f"{which} {operation}", "kms", operation,
                        lambda r, b=before[0], m=more: {"KeyId": self._id(r, b), **m}, before,
                    )
                )  # fmt: skip
        topic, url = {"TopicArn": self.topic}, {"QueueUrl": self.url}
        return [
            *found,
            Call("topic seen", "sns", "get_topic_attributes", lambda _: topic, ("who",)),
            Call("subscriptions", "sns", "list_subscriptions_by_topic", lambda _: topic, ("who",)),
            Call("topic tags", "sns", "list_tags_for_resource", lambda _: {"ResourceArn": self.topic}, ("who",)),
            Call(
                "queue seen", "sqs", "get_queue_attributes",
                lambda _: {**url, "AttributeNames": ["All"]}, ("who",),
            ),
            Call("queue tags", "sqs", "list_queue_tags", lambda _: url, ("who",)),
            Call(
                "rule tags", "events", "list_tags_for_resource", lambda _: {"ResourceARN": self.rule},
                ("who",),
            ),
        ]  # fmt: skip

    def _destroyed(self) -> list[Call]:
        found: list[Call] = []
        if not self.short:
            found += [
                Call("queue url", "sqs", "get_queue_url", lambda _: {"QueueName": self.name}),
                Call(
                    "subscriptions", "sns", "list_subscriptions_by_topic",
                    lambda _: {"TopicArn": self.topic},
                ),
            ]  # fmt: skip
        found += [
            Call(
                "target",
                "events",
                "remove_targets",
                lambda _: {"Rule": self.name, "Ids": ["topic"]},
            ),
            Call("rule", "events", "delete_rule", lambda _: {"Name": self.name}, ("target",)),
            Call("topic", "sns", "delete_topic", lambda _: {"TopicArn": self.topic}, ("who",)),
            Call("queue", "sqs", "delete_queue", lambda _: {"QueueUrl": self.url}, ("who",)),
        ]
        for which in ("topic", "queue"):
            before = f"{which} described"
            found += [
                Call(
                    f"{which} alias", "kms", "delete_alias",
                    lambda _, w=which: {"AliasName": self._alias(w)}, (before,),
                ),
                Call(
                    f"{which} key", "kms", "schedule_key_deletion",
                    lambda r, b=before: {"KeyId": self._id(r, b), "PendingWindowInDays": 7}, (before,),
                ),
            ]  # fmt: skip
        return found
