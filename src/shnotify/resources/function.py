"""A Lambda function from an archive, with its permission for EventBridge and its asynchronous
retries.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Self

from shnotify.arns import Scope, name_in, service_of
from shnotify.aws.failures import AlreadyThereError, AwsError
from shnotify.aws.gateway import Aws
from shnotify.engine.health import Link
from shnotify.engine.ownership import owner_of
from shnotify.engine.permissions import Permissions, calls
from shnotify.engine.resource import Live, Resource, identity
from shnotify.engine.template import Part, without
from shnotify.engine.values import Policy, Tags
from shnotify.frozen import frozen
from shnotify.resources.functionmaking import (
    allow,
    put_retries,
    retries_of,
    wait_until_active,
    when_ready,
)
from shnotify.resources.functionparts import code, code_key, permissions, retries
from shnotify.resources.loggroup import PREFIX
from shnotify.resources.mapping import waited_for
from shnotify.resources.policies import FUNCTION_SID
from shnotify.resources.role import role_name
from shnotify.tags import OUR_TAGS

_CONFIGURATION = (
    "Role",
    "Runtime",
    "Handler",
    "Timeout",
    "MemorySize",
    "Description",
    "Environment",
)
_DECIDES = {
    "CodeSha256": "code_sha256",
    "Runtime": "runtime",
    "Handler": "handler",
    "Environment": "environment",
}
_SUFFICES = {"Timeout": "timeout", "MemorySize": "memory_size"}
"""Properties of which more does no harm."""


@frozen(kw_only=True)
class Function(Resource):
    """A Lambda function. `code_sha256` is Lambda's digest of `zip_file`.

    The function's settings are in there too.

    role                 the execution role's ARN
    log_group            the ARN of its log group, which has to be there before it
    timeout, memory_size seconds and MiB
    event_invoke_config  what becomes of an event that fails: MaximumRetryAttempts,
                         MaximumEventAgeInSeconds, and
                         OnFailure, a queue's ARN or "" (API_PutFunctionEventInvokeConfig)
    policy_document      who may invoke it
    """

    CFN: ClassVar[str] = "AWS::Lambda::Function"
    PERMISSIONS: ClassVar[Permissions] = Permissions(
        read=calls("lambda", "GetFunction", "GetPolicy", "GetFunctionEventInvokeConfig"),
        create=calls("lambda", "CreateFunction", "AddPermission", "PutFunctionEventInvokeConfig"),
        update=calls(
            "lambda",
            "UpdateFunctionConfiguration",
            "UpdateFunctionCode",
            "PutFunctionEventInvokeConfig",
        )
        | calls("lambda", "RemovePermission", "AddPermission", "TagResource"),
        release=calls(
            "lambda", "RemovePermission", "DeleteFunctionEventInvokeConfig", "UntagResource"
        ),
        delete=calls("lambda", "DeleteFunction"),
        besides=frozenset(
            {
                ("create", "lambda:TagResource"),
                ("create", "iam:PassRole"),
                ("update", "iam:PassRole"),
            }
        ),
    )

    function_name: str = identity()
    function_arn: str = identity()
    log_group: str = identity(default="")
    zip_file: bytes = identity(default=b"", repr=False)
    description: str
    role: str
    runtime: str
    handler: str
    timeout: int
    memory_size: int
    environment: dict[str, str]
    code_sha256: str
    event_invoke_config: dict[str, Any]
    policy_document: Policy
    tags: Tags

    @property
    def name(self) -> str:
        return self.function_name

    def purpose(self) -> str:
        return "writes the mails"

    @property
    def arn(self) -> str:
        return self.function_arn

    @classmethod
    def at(cls, arn: str, tags: Tags) -> Self | None:
        if service_of(arn) != "lambda" or ":function:" not in arn:
            return None
        return cls.unmanaged(id="Function", function_name=name_in(arn), function_arn=arn, tags=tags)

    def companions(self) -> Iterable[str]:
        """Names the function's role, which GetResources does not find, and the function's log
        group.
        """
        scope = Scope.of(self.function_arn)
        return scope.role(role_name(self.function_name, scope.region)), scope.log_group(
            f"{PREFIX}{self.function_name}"
        )

    def kept_for(self, lives: Iterable[Live[Resource]]) -> str | None:
        return waited_for(self.function_arn, lives)

    def cfn(self) -> tuple[Part, ...]:
        """Returns the function, its retries and who may invoke it; the code lies in a bucket."""
        given = without(self.properties(), "CodeSha256", "EventInvokeConfig", "PolicyDocument")
        return (
            Part(self.id, self.CFN, {**given, "Code": code(self.id, self.code_key())}),
            retries(self.id, self.event_invoke_config),
            *permissions(self.id, self.policy_document),
        )

    def code_key(self) -> str:
        """Returns the archive's key in a bucket."""
        return code_key(self.function_name, self.zip_file)

    # -- reading -------------------------------------------------------------------------------------------------------

    def identify(self, aws: Aws) -> Live[Self] | None:
        reply = aws.maybe(aws.lambda_.get_function, FunctionName=self.function_name)
        return (
            None
            if reply is None
            else self._live(reply, replace(self, role=reply["Configuration"]["Role"]))
        )

    def read(self, aws: Aws) -> Live[Self] | None:
        policy = aws.start(aws.maybe, aws.lambda_.get_policy, FunctionName=self.function_name)
        retries = aws.start(
            aws.maybe, aws.lambda_.get_function_event_invoke_config, FunctionName=self.function_name
        )
        reply = aws.maybe(aws.lambda_.get_function, FunctionName=self.function_name)
        allowed, asynchronous = policy.result(), retries.result()
        if reply is None:
            return None
        have = reply["Configuration"]
        state = replace(
            self,
            description=have.get("Description", ""),
            role=have["Role"],
            runtime=have.get("Runtime", ""),
            handler=have.get("Handler", ""),
            timeout=have.get("Timeout", 3),
            memory_size=have.get("MemorySize", 128),
            environment=dict(have.get("Environment", {}).get("Variables", {})),
            code_sha256=have.get("CodeSha256", ""),
            event_invoke_config=retries_of(asynchronous),
            policy_document=Policy.parse(allowed["Policy"]) if allowed else Policy({}),
        )
        return self._live(reply, state)

    def _live(self, reply: Mapping[str, Any], state: Self) -> Live[Self]:
        have = reply["Configuration"]
        tags = Tags.of(reply.get("Tags") or {})
        outputs = {
            "Arn": self.function_arn,
            "State": have.get("State", "Active"),
            "Reason": have.get("StateReason", ""),
            "Concurrency": str(
                reply.get("Concurrency", {}).get("ReservedConcurrentExecutions", "")
            ),
        }
        facts = {
            "Vpc": (have.get("VpcConfig") or {}).get("VpcId", ""),
            "Layers": [layer["Arn"] for layer in have.get("Layers") or []],
        }
        return Live(replace(state, tags=tags), outputs, owner_of(tags, self.tags), facts=facts)

    # -- delivery ------------------------------------------------------------------------------------------------------

    def links(self) -> tuple[str, ...]:
        return ("formatter",)

    def health(self, live: Live[Self]) -> tuple[Link, ...]:
        fine = self.link("formatter", "ok", state=live.outputs["State"])
        return (next(self._faults(live), fine),)

    def _faults(self, live: Live[Self]) -> Iterator[Link]:
        """Yields what keeps the function from mailing, or anybody from telling; the worst first."""
        state, reason = live.outputs["State"], live.outputs["Reason"]
        if state not in ("Active", "Inactive"):  # an inactive one wakes up by itself
            why = f"{self.id} cannot run: Lambda says it is {state} {reason}"
            yield self.link("formatter", "broken", why)
        if live.outputs["Concurrency"] == "0":
            why = f"{self.id} is throttled to nothing: its reserved concurrency is 0"
            yield self.link("formatter", "broken", why)
        if live.state.role != self.role:
            why = f"{self.id} runs as another role ({live.state.role}), which was not looked at"
            yield self.link("formatter", "unknown", why, role=live.state.role)
        if others := self._runs_otherwise(live.state):
            what = f"with another {' and another '.join(others)} than the file's"
            what = "other code than this version's" if others == ["CodeSha256"] else what
            why = f"{self.id} runs {what}: what it sends cannot be told"
            link = self.link("formatter", "unknown", why, other=others)
            yield replace(link, mend="shnotify apply")
        if vpc := live.facts["Vpc"]:
            why = f"{self.id} runs in a VPC of somebody's choice: whether SNS can be reached from there cannot be told"
            yield self.link("formatter", "unknown", why, vpc=vpc)
        if layers := live.facts["Layers"]:
            why = f"{self.id} runs with layers that are not ours ({', '.join(layers)})"
            yield self.link("formatter", "unknown", why, layers=layers)

    def _runs_otherwise(self, live: Self) -> list[str]:
        """Names what decides over what the function sends, and is not as in the file."""
        others = [
            path for path, name in _DECIDES.items() if getattr(live, name) != getattr(self, name)
        ]
        less = [
            path for path, name in _SUFFICES.items() if getattr(live, name) < getattr(self, name)
        ]
        return others + less

    # -- writing -------------------------------------------------------------------------------------------------------

    def create(self, aws: Aws) -> Mapping[str, str]:
        try:
            when_ready(aws)(
                aws.lambda_.create_function,
                FunctionName=self.function_name,
                Code={"ZipFile": self.zip_file},
                Tags=self.tags.to_dict(),
                **self._configuration(set(_CONFIGURATION)),
            )
        except AwsError as error:
            if error.code == "ResourceConflictException":
                raise AlreadyThereError(
                    error.message, operation=error.operation, code=error.code
                ) from error
            raise
        allowed = aws.start(allow, aws, self.function_name, self.policy_document, new=True)
        put_retries(aws, self.function_name, self.event_invoke_config, new=True)
        allowed.result()
        wait_until_active(aws, self.function_name)
        return self.outputs()

    def _configuration(self, names: set[str] | frozenset[str]) -> dict[str, Any]:
        all_of_it = {**self.managed(), "Environment": {"Variables": self.environment}}
        return {name: all_of_it[name] for name in _CONFIGURATION if name in names}

    def update(self, aws: Aws, live: Live[Self], changes: frozenset[str]) -> None:
        change = when_ready(aws)
        if configuration := self._configuration(changes):
            change(
                aws.lambda_.update_function_configuration,
                FunctionName=self.function_name,
                **configuration,
            )
        if "CodeSha256" in changes:
            change(
                aws.lambda_.update_function_code,
                FunctionName=self.function_name,
                ZipFile=self.zip_file,
            )
        if "EventInvokeConfig" in changes:
            put_retries(aws, self.function_name, self.event_invoke_config)
        if "PolicyDocument" in changes:
            if any(s.get("Sid") == FUNCTION_SID for s in live.state.policy_document.statements):
                aws.maybe(
                    aws.lambda_.remove_permission,
                    FunctionName=self.function_name,
                    StatementId=FUNCTION_SID,
                )
            allow(aws, self.function_name, self.policy_document)
        if "Tags" in changes:
            tags = self.tags.minus(live.state.tags).to_dict()
            aws(aws.lambda_.tag_resource, Resource=self.function_arn, Tags=tags)

    def release(self, aws: Aws, live: Live[Self]) -> None:
        aws.maybe(
            aws.lambda_.remove_permission, FunctionName=self.function_name, StatementId=FUNCTION_SID
        )
        aws.maybe(aws.lambda_.delete_function_event_invoke_config, FunctionName=self.function_name)
        aws(aws.lambda_.untag_resource, Resource=self.function_arn, TagKeys=list(OUR_TAGS))

    def delete(self, aws: Aws, live: Live[Self]) -> None:
        try:
            when_ready(aws)(aws.lambda_.delete_function, FunctionName=self.function_name)
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise
