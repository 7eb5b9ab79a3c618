"""The calls that a notifier lives on, with the condition keys that AWS documents for each. Pure.

Source for the global keys: reference_policies_condition-keys ("Availability" of each key); what
else is known stands at each function. A key that a page calls supported, and another does not, is
`perhaps`.
"""

from __future__ import annotations

from collections.abc import Mapping

from shnotify.resources.requests import (
    ABSENT,
    PRESENT,
    UNKNOWN,
    Request,
    States,
    known,
    perhaps,
    segment,
)

EVENTS = "events.amazonaws.com"
SNS = "sns.amazonaws.com"
CLOUDWATCH = "cloudwatch.amazonaws.com"
SCHEDULER = "scheduler.amazonaws.com"
LAMBDA = "lambda.amazonaws.com"

_OF_A_SESSION = (
    "aws:assumedroot",
    "aws:chatbotsourcearn",
    "aws:ec2instancesourceprivateipv4",
    "aws:ec2instancesourcevpc",
    "aws:federatedprovider",
    "aws:sourceidentity",
    "ec2:roledelivery",
    "ec2:sourceinstancearn",
    "glue:credentialissuingservice",
    "glue:roleassumedby",
    "identitystore:userid",
    "ssm:sourceinstancearn",
)
"""Keys of sessions that people, EC2, Glue or Systems Manager begin ("Properties of a role
session").
"""

_OF_A_VPC = (
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
    "aws:vpcsourceip",
)
"""Keys that are there only if the call comes through a VPC endpoint."""

_OF_FORWARDED_CALLS = ("aws:calledvia", "aws:calledviafirst", "aws:calledvialast")

_OF_NO_CALL_HERE = ("aws:referer", "aws:requesttag/*", "aws:tagkeys")
"""A browser's key, and those of tagging."""

_OF_IAM_PRINCIPALS = (
    "aws:multifactorauthage",
    "aws:multifactorauthpresent",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principaltag/*",
    "aws:tokenissuetime",
    "aws:username",
    "lambda:sourcefunctionarn",
)
"""Keys of users, roles and their sessions; a service that calls under its own name is neither."""

_OF_A_SOURCE = ("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths")

_ALWAYS = ("aws:currenttime", "aws:epochtime", "aws:useragent")

_SERVICES_OWN = perhaps("(an AWS service's own)")
"""Documented as always there.

For a service it holds nothing that names an account, user or role of a customer.
"""


def events_publish(topic: str, rule: str) -> Request:
    """EventBridge publishes to a topic for a rule.

    One guide has aws:SourceArn and aws:SourceAccount here (eb-use-conditions,
    sns-access-policy-use-cases), another no conditions at all (eb-use-resource-based). It is not among the services
    with aws:SourceOwner, the condition of the default statement (sns-access-policy-use-cases).
    """
    return _service(
        EVENTS, "sns:Publish", topic, {**_source(rule, sure=False), "aws:sourceowner": ABSENT}
    )


def events_use_topic_key(key: str, topic: str, action: str) -> Request:
    """EventBridge uses the key of a topic: kms:Decrypt and kms:GenerateDataKey.

    "Adding the aws:SourceAccount, aws:SourceArn, and aws:SourceOrgID to a AWS KMS policy is not
    supported for EventBridge-to-encrypted topics" (sns-key-management).
    """
    keys = {
        **dict.fromkeys(_OF_A_SOURCE, ABSENT),
        "kms:encryptioncontext:aws:sns:topicarn": perhaps(topic),
    }
    return _service(EVENTS, action, key, keys)


def events_send(queue: str, rule: str) -> Request:
    """EventBridge sends what a rule could not deliver to a queue.

    Aws:SourceArn is documented (eb-rule-dlq).
    """
    return _service(
        EVENTS,
        "sqs:SendMessage",
        queue,
        {**_source(rule, sure=False), "aws:sourcearn": known(rule)},
    )


def events_use_queue_key(key: str, queue: str, rule: str, action: str) -> Request:
    """EventBridge uses the key of a queue.

    The guide leaves open which ARN aws:SourceArn holds (sqs-key-management).
    """
    return _service(
        EVENTS,
        action,
        key,
        {**_queue_context(queue), **_source(rule, sure=False), "aws:sourcearn": UNKNOWN},
    )


def events_invoke(function: str, rule: str) -> Request:
    """EventBridge invokes a function for a rule.

    "A SourceAccount setting prevents EventBridge from being able to invoke the function"
    (eb-troubleshooting).
    """
    return _service(
        EVENTS,
        "lambda:InvokeFunction",
        function,
        {"aws:sourcearn": known(rule), "aws:sourceaccount": ABSENT},
    )


def sns_send(queue: str, topic: str) -> Request:
    """SNS sends what a subscription could not deliver to its queue
    (sns-configure-dead-letter-queue).
    """
    return _service(
        SNS, "sqs:SendMessage", queue, {**_source(topic, sure=False), "aws:sourcearn": known(topic)}
    )


def sns_use_queue_key(key: str, queue: str, topic: str, action: str) -> Request:
    """SNS uses the key of a subscription's queue.

    It supports aws:SourceArn there (sqs-key-management).
    """
    return _service(SNS, action, key, {**_queue_context(queue), **_source(topic, sure=False)})


def cloudwatch_publish(topic: str, alarm: str) -> Request:
    """CloudWatch publishes for an alarm; it is in both lists of sns-access-policy-use-cases."""
    owner = perhaps(segment(alarm, 4))
    return _service(
        CLOUDWATCH, "sns:Publish", topic, {**_source(alarm, sure=True), "aws:sourceowner": owner}
    )


def cloudwatch_use_topic_key(key: str, topic: str, alarm: str, action: str) -> Request:
    """CloudWatch uses the key of a topic.

    Unlike EventBridge it says for whom (sns-key-management).
    """
    context = {"kms:encryptioncontext:aws:sns:topicarn": perhaps(topic)}
    return _service(CLOUDWATCH, action, key, {**context, **_source(alarm, sure=True)})


def scheduler_use_queue_key(key: str, queue: str, action: str) -> Request:
    """EventBridge Scheduler uses the key of a schedule's queue (scheduler user guide,
    troubleshooting).
    """
    return _service(SCHEDULER, action, key, _queue_context(queue))


def scheduler_take_role(role: str, schedules: str) -> Request:
    """EventBridge Scheduler takes a schedule's role; it says for which schedule group (scheduler
    user guide, cross-service-confused-deputy-prevention).
    """
    return _service(SCHEDULER, "sts:AssumeRole", role, _source(schedules, sure=True))


def lambda_take_role(role: str) -> Request:
    """Lambda takes a function's role (lambda-intro-execution-role)."""
    return _service(LAMBDA, "sts:AssumeRole", role, {})


def role_call(
    role: str,
    action: str,
    resource: str,
    *,
    function: str,
    in_vpc: bool = False,
    via: str = "",
    region: str = "",
) -> Request:
    """A function's role calls, or another service's.

    function  the ARN of the function; "" for another service
    in_vpc    whether the function has a VpcConfig: it may then call through a VPC endpoint
    via       the service that calls on with the role's credentials, sns for a topic's key (forward
              access sessions)
    region    where the call goes; by default the Region in the resource's ARN
    """
    account = segment(role, 4)
    keys = {
        **dict.fromkeys((*_OF_A_SOURCE, *_OF_A_SESSION, "aws:username"), ABSENT),
        **dict.fromkeys(("aws:principalservicename", "aws:principalservicenameslist"), ABSENT),
        **dict.fromkeys(("aws:tokenissuetime", "aws:userid"), PRESENT),
        **_network(in_vpc=in_vpc, via=via, region=region or segment(resource, 3)),
        "aws:principalarn": known(role),
        "aws:principalaccount": known(account),
        "aws:principalisawsservice": known("false"),
        "aws:principaltype": known("AssumedRole"),
        "aws:securetransport": known("true"),
        "aws:sourceowner": perhaps(account),
        "lambda:sourcefunctionarn": _function(function, via),
    }
    return Request(role, action, resource, {**_common(resource), **keys})


def _function(arn: str, via: str) -> States:
    if not arn:
        return ABSENT
    return perhaps(arn) if via else known(arn)


def _network(*, in_vpc: bool, via: str, region: str) -> dict[str, States]:
    """Whence a role calls; a service that calls on does not pass that on
    (condition-keys-sourcevpc).
    """
    if via:
        service = f"{via}.{region}.amazonaws.com"
        return {"aws:viaawsservice": perhaps("true"), "kms:viaservice": perhaps(service)}
    direct: dict[str, States] = {
        "aws:viaawsservice": known("false"),
        **dict.fromkeys(_OF_FORWARDED_CALLS, ABSENT),
    }
    if in_vpc:
        return direct
    return {**direct, **dict.fromkeys(_OF_A_VPC, ABSENT), "aws:sourceip": PRESENT}


def _service(service: str, action: str, resource: str, keys: Mapping[str, States]) -> Request:
    """A call under a service's own name.

    "Certain network-specific authorization context is redacted" in it
    (condition-keys-sourceip,-securetransport): it has no address, and whether it has aws:SecureTransport, which is then
    true, the page leaves open.
    """
    absent = (*_OF_IAM_PRINCIPALS, *_OF_A_SESSION, *_OF_A_VPC, *_OF_FORWARDED_CALLS, "aws:sourceip")
    base = {
        **_common(resource),
        **dict.fromkeys(absent, ABSENT),
        **dict.fromkeys(("aws:principalaccount", "aws:principaltype", "aws:userid"), _SERVICES_OWN),
        "aws:principalisawsservice": known("true"),
        "aws:principalservicename": known(service),
        "aws:principalservicenameslist": PRESENT,
        "aws:securetransport": perhaps("true"),
        "aws:viaawsservice": known("false"),
    }
    return Request(service, action, resource, {**base, **keys})


def _common(resource: str) -> dict[str, States]:
    """What every call has or lacks.

    Some actions lack aws:ResourceAccount (condition-keys-resourceaccount).
    """
    region, account = segment(resource, 3), segment(resource, 4)
    return {
        **dict.fromkeys(_OF_NO_CALL_HERE, ABSENT),
        **dict.fromkeys(_ALWAYS, PRESENT),
        "aws:requestedregion": known(region) if region else PRESENT,
        "aws:resourceaccount": perhaps(account),
    }


def _source(arn: str, *, sure: bool) -> dict[str, States]:
    """On whose behalf a service calls; which organization that is in, nobody here knows."""
    state = known if sure else perhaps
    return {"aws:sourcearn": state(arn), "aws:sourceaccount": state(segment(arn, 4))}


def _queue_context(queue: str) -> dict[str, States]:
    """SQS encrypts with the queue's ARN as context (sqs-key-management).

    Not confirmed for services that send.
    """
    return {"kms:encryptioncontext:aws:sqs:arn": perhaps(queue)}
