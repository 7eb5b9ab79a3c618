"""All that an embedded account holds, in a form in which two runs that mean the same are equal."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from shnotify.engine.values import Pattern, Policy
from tests.conftest import World


def account(world: World) -> dict[str, Any]:
    """Everything in the account; key ids replaced by the resource they are tagged as."""
    names: dict[str, str] = {}
    keys = [_key(world, key["KeyId"], names) for key in world.client("kms").list_keys()["Keys"]]
    found = {
        "keys": sorted((k for k in keys if k), key=repr),
        "topics": sorted(_topics(world), key=repr),
        "queues": sorted(_queues(world), key=repr),
        "rules": sorted(_rules(world), key=repr),
        "functions": sorted(_functions(world), key=repr),
        "mappings": sorted(_mappings(world), key=repr),
        "roles": sorted(_roles(world), key=repr),
        "logs": sorted(_log_groups(world), key=repr),
        "alarms": sorted(_alarms(world), key=repr),
        "schedules": sorted(_schedules(world), key=repr),
    }
    text = json.dumps(found, sort_keys=True, default=str)
    for key_id, name in names.items():
        text = text.replace(key_id, name)
    result = json.loads(text)
    assert isinstance(result, dict)
    return result


def live_keys(world: World) -> list[str]:
    """The tagged role of every customer key that is not on its way out."""
    keys = (_key(world, key["KeyId"], {}) for key in world.client("kms").list_keys()["Keys"])
    living = (k for k in keys if k and k["state"] != "PendingDeletion")
    return sorted(k["tags"].get("shnotify:resource", "?") for k in living)


def _key(world: World, key_id: str, names: dict[str, str]) -> dict[str, Any] | None:
    kms = world.client("kms")
    meta = kms.describe_key(KeyId=key_id)["KeyMetadata"]
    aliases = [a["AliasName"] for a in kms.list_aliases(KeyId=key_id)["Aliases"]]
    if meta["KeyManager"] == "AWS" or any(a.startswith("alias/aws/") for a in aliases):
        return None
    tags = {t["TagKey"]: t["TagValue"] for t in kms.list_resource_tags(KeyId=key_id)["Tags"]}
    names[key_id] = tags.get("shnotify:resource", "foreign-key")
    dying = meta["KeyState"] == "PendingDeletion"
    return {
        "state": meta["KeyState"],
        "description": meta["Description"],
        "aliases": sorted(aliases),
        "rotation": None if dying else kms.get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"],
        "policy": repr(Policy.parse(kms.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"])._form()),
        "tags": tags,
    }


def _topics(world: World) -> list[Any]:
    sns = world.client("sns")
    found = []
    for topic in sns.list_topics()["Topics"]:
        arn = topic["TopicArn"]
        attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
        listed = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
        found.append(
            {
                "arn": arn,
                "key": attributes.get("KmsMasterKeyId"),
                "name": attributes.get("DisplayName"),
                "policy": repr(Policy.parse(attributes["Policy"])._form()),
                "tags": {t["Key"]: t["Value"] for t in sns.list_tags_for_resource(ResourceArn=arn)["Tags"]},
                "subscribers": sorted((s["Protocol"], s["Endpoint"]) for s in listed),
            }
        )
    return found


_CHANGING = ("CreatedTimestamp", "LastModifiedTimestamp", "Policy")


def _queues(world: World) -> list[Any]:
    sqs = world.client("sqs")
    found = []
    for url in sqs.list_queues().get("QueueUrls", []):
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        found.append(
            {
                "url": url,
                "attributes": {name: value for name, value in attributes.items() if name not in _CHANGING},
                "policy": repr(Policy.parse(attributes.get("Policy", "{}"))._form()),
                "tags": sqs.list_queue_tags(QueueUrl=url).get("Tags", {}),
            }
        )
    return found


def _rules(world: World) -> list[Any]:
    events = world.client("events")
    found = []
    for rule in events.list_rules()["Rules"]:
        found.append(
            {
                "name": rule["Name"],
                "pattern": hash(Pattern.parse(rule["EventPattern"])),
                "state": rule["State"],
                "description": rule.get("Description"),
                "targets": sorted(events.list_targets_by_rule(Rule=rule["Name"])["Targets"], key=repr),
                "tags": {t["Key"]: t["Value"] for t in events.list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"]},
            }
        )
    return found


_SETTLED = ("FunctionName", "Description", "Role", "Runtime", "Handler", "Timeout", "MemorySize", "CodeSha256")


def _functions(world: World) -> list[Any]:
    lambda_ = world.client("lambda")
    found = []
    for function in lambda_.list_functions()["Functions"]:
        name = function["FunctionName"]
        have = lambda_.get_function(FunctionName=name)
        found.append(
            {
                **{part: have["Configuration"].get(part) for part in _SETTLED},
                "environment": have["Configuration"].get("Environment", {}).get("Variables"),
                "tags": have.get("Tags"),
                "policy": _or_none(lambda_.get_policy, "Policy", FunctionName=name),
                "retries": _retries(lambda_, name),
            }
        )
    return found


def _mappings(world: World) -> list[Any]:
    lambda_ = world.client("lambda")
    made = ("UUID", "EventSourceMappingArn", "LastModified")
    return [
        {name: value for name, value in mapping.items() if name not in made}
        for mapping in lambda_.list_event_source_mappings()["EventSourceMappings"]
    ]


def _or_none(call: Any, part: str, **parameters: str) -> Any:
    try:
        return call(**parameters)[part]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return None


def _retries(lambda_: Any, name: str) -> Any:
    configs = lambda_.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"]
    return [{part: value for part, value in config.items() if part != "LastModified"} for config in configs]


def _roles(world: World) -> list[Any]:
    iam = world.client("iam")
    found = []
    for listed in iam.list_roles()["Roles"]:
        name = listed["RoleName"]
        role = iam.get_role(RoleName=name)["Role"]
        inline = iam.list_role_policies(RoleName=name)["PolicyNames"]
        found.append(
            {
                "name": name,
                "trust": role["AssumeRolePolicyDocument"],
                "description": role.get("Description"),
                "tags": {t["Key"]: t["Value"] for t in role.get("Tags", [])},
                "policies": {p: _form(iam.get_role_policy(RoleName=name, PolicyName=p)) for p in inline},
            }
        )
    return found


def _form(inline: Any) -> dict[str, Any]:
    """By statement id: the keys' ids, which differ from run to run, must not say in which order."""
    return {s.get("Sid", "?"): s for s in inline["PolicyDocument"]["Statement"]}


def _log_groups(world: World) -> list[Any]:
    logs = world.client("logs")
    return [
        {
            "name": group["logGroupName"],
            "retention": group.get("retentionInDays"),
            "tags": logs.list_tags_for_resource(resourceArn=group["arn"].removesuffix(":*"))["tags"],
        }
        for group in logs.describe_log_groups()["logGroups"]
    ]


_OF_NOW = ("AlarmConfigurationUpdatedTimestamp", "StateUpdatedTimestamp", "StateTransitionedTimestamp")


def _alarms(world: World) -> list[Any]:
    cloudwatch = world.client("cloudwatch")
    return [
        {
            **{name: value for name, value in alarm.items() if name not in _OF_NOW},
            "tags": cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"],
        }
        for alarm in cloudwatch.describe_alarms()["MetricAlarms"]
    ]


def _schedules(world: World) -> list[Any]:
    """Each schedule group but the account's own, with its schedules."""
    scheduler = world.client("scheduler")
    found = []
    for group in scheduler.list_schedule_groups()["ScheduleGroups"]:
        listed = scheduler.list_schedules(GroupName=group["Name"])["Schedules"]
        whole = [scheduler.get_schedule(Name=one["Name"], GroupName=group["Name"]) for one in listed]
        settled = ("Name", "ScheduleExpression", "ScheduleExpressionTimezone", "State", "Target", "Description")
        if group["Name"] != "default" or listed:
            found.append(
                {
                    "group": group["Name"],
                    "tags": scheduler.list_tags_for_resource(ResourceArn=group["Arn"])["Tags"],
                    "schedules": [{name: one.get(name) for name in settled} for one in whole],
                }
            )
    return found
