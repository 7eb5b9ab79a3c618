"""The gateway: every AWS call of every command goes through here.

So that calls can be counted, allowed, delayed, retried and broken in one place: who asks (the
session, the clients), what may be asked (`allowed`), and in `calls.py` how often.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, cast

import boto3
import botocore.session
from botocore.config import Config as SdkConfig
from botocore.exceptions import BotoCoreError

from shnotify.arns import Scope
from shnotify.aws.calls import Calls, Clock
from shnotify.aws.credentials import SignIn, ask_only_on_a_terminal, not_set_up, watch_processes
from shnotify.aws.failures import UnexpectedError, WriteRefusedError
from shnotify.aws.operations import operation_name
from shnotify.aws.progress import Noted, Progress
from shnotify.aws.rates import Rates
from shnotify.aws.sdk import TlsContext, load_only_what_is_used
from shnotify.errors import UsageError
from shnotify.escaping import without_password

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_resourcegroupstaggingapi import ResourceGroupsTaggingAPIClient
    from mypy_boto3_securityhub import SecurityHubClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sts import STSClient


CONNECT_SECONDS = 5
READ_SECONDS = 20
FUNCTION_SECONDS = 75
"""How long an answer of a function is waited for: the formatter may run 60 seconds."""


def endpoint_note(environment: Mapping[str, str]) -> str | None:
    """Names the services that the environment sends to another place than AWS, or returns None.

    A single service sent elsewhere means that the others still go to AWS, which nobody should learn
    too late.
    """
    one_by_one = {
        name.removeprefix("AWS_ENDPOINT_URL_").lower(): without_password(url)
        for name, url in sorted(environment.items())
        if name.startswith("AWS_ENDPOINT_URL_") and url
    }
    parts = [f"{service} at {url}" for service, url in one_by_one.items()]
    if url := environment.get("AWS_ENDPOINT_URL"):
        return ", ".join(
            [
                f"talking to {without_password(url)} (AWS_ENDPOINT_URL is set), not to AWS itself",
                *parts,
            ]
        )
    return (
        f"only these are sent elsewhere, all others go to AWS: {', '.join(parts)}"
        if parts
        else None
    )


class Aws(Calls):
    """Makes calls to one account and Region, with one set of credentials.

    allowed   the operations that can be sent, as IAM names them; None: every one
    timeout   seconds for the whole command
    report    receives waits and notes as they happen
    """

    def __init__(
        self,
        *,
        region: str | None = None,
        profile: str | None = None,
        allowed: frozenset[str] | None,
        timeout: float = 60,
        report: Callable[[Progress], None] = lambda _: None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(timeout=timeout, report=report, clock=clock)
        self.allowed = allowed
        self.existing: dict[str, str] = {}
        """Name -> ARN of what a call of ours has seen: it can be read again in one round."""
        self._clients: dict[tuple[str, float], Future[Any]] = {}
        self._maker = ThreadPoolExecutor(1, thread_name_prefix="clients")
        self._tls = TlsContext()
        self._who: Future[Any] | None = None
        try:
            core = botocore.session.Session(profile=profile)
            load_only_what_is_used(core)
            self.sign_in = SignIn.of(core)
            ask_only_on_a_terminal(core, self.sign_in)
            watch_processes(core, self.sign_in)
            # The SDK for Python reads AWS_DEFAULT_REGION only; all the others, and our manual, say
            # AWS_REGION.
            region = region or os.environ.get("AWS_REGION") or None
            self._session = boto3.Session(botocore_session=core, region_name=region)
            self._region = self._session.region_name or ""
        except (BotoCoreError, ValueError, OSError) as error:
            raise not_set_up(error, self.sign_in) from error
        if not self._region:
            hint = "write `region:` into the file, give --region, or set AWS_REGION"
            raise UsageError("no AWS Region is known", hint=hint)

    # -- several notifiers ---------------------------------------------------------------------------------------------

    def apart(self) -> Self:
        own = super().apart()
        own.existing = {}
        return own

    def in_region(self, region: str) -> Self:
        """Returns a gateway to another Region, with the same credentials and time limit.

        What a client is made of is loaded once. A Region has rates of its own.
        """
        if region == self.region:
            return self
        other = super().apart()
        other._alone = True
        other._region, other._clients, other.existing = region, {}, {}
        other._common, other.rates = {}, Rates(self.clock.now)
        other.__dict__["scope"] = self.scope._replace(region=region)
        return other

    def regions_of(self, service: str) -> tuple[str, ...]:
        """Lists the Regions of the caller's partition that have the service, as the SDK knows them."""
        known = self._session.get_available_regions(service, self.scope.partition)
        return tuple(dict.fromkeys((self.region, *known)))

    # -- identity ------------------------------------------------------------------------------------------------------

    @property
    def region(self) -> str:
        return self._region

    def ask_who(self) -> Future[Any]:
        """Asks who the caller is, and waits for no answer.

        Beside the main thread: finding credentials may run a program or ask a network that never
        answers.
        """
        if note := endpoint_note(os.environ):
            self.report(Noted(note))
        self._who = self.start(lambda: self(self.sts.get_caller_identity))
        return self._who

    @cached_property
    def scope(self) -> Scope:
        """Who the caller is, and where (sts:GetCallerIdentity); the partition is the caller's own."""
        reply = self.in_time(self._who or self.ask_who())
        try:
            return Scope(reply["Arn"].split(":")[1], self.region, reply["Account"])
        except LookupError as error:
            raise UnexpectedError(error) from error

    # -- clients -------------------------------------------------------------------------------------------------------

    def _client(self, service: str, patience: float = READ_SECONDS) -> Any:
        return self._making(service, patience).result()

    def _making(self, service: str, patience: float = READ_SECONDS) -> Future[Any]:
        """Makes clients one after another, in the order in which they are wanted.

        In parallel it takes several times as long.
        """
        key = (service, patience)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._maker.submit(self._new_client, service, patience)
            return self._clients[key]

    def prepare(self, *services: str) -> None:
        """Makes clients beside the calls that are under way; waits for none of them."""
        for service in services:
            self._making(service)

    def _new_client(self, service: str, patience: float) -> Any:
        settings = SdkConfig(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=min(patience, max(1, self.timeout)),
            retries={"total_max_attempts": 1, "mode": "standard"},
            max_pool_connections=64,
            tcp_keepalive=True,
        )
        try:
            client = self._session.client(service, self._region, config=settings)  # type: ignore[call-overload]
        except (BotoCoreError, ValueError, OSError, EOFError) as error:
            raise not_set_up(error, self.sign_in) from error
        client.meta.events.register_first("before-call", self._guard)
        self._tls.share(client)
        return client

    def permits(self, operation: str) -> bool:
        """Tells whether this run may send the operation."""
        return self.allowed is None or operation in self.allowed

    def _guard(self, model: Any, **_: Any) -> None:
        operation = operation_name(model.service_model.service_name, model.name)
        if not self.permits(operation):
            raise WriteRefusedError(
                f"{operation} is not a read, and this command changes nothing", operation=operation
            )

    @property
    def sts(self) -> STSClient:
        return cast("STSClient", self._client("sts"))

    @property
    def kms(self) -> KMSClient:
        return cast("KMSClient", self._client("kms"))

    @property
    def sns(self) -> SNSClient:
        return cast("SNSClient", self._client("sns"))

    @property
    def sqs(self) -> SQSClient:
        return cast("SQSClient", self._client("sqs"))

    @property
    def events(self) -> EventBridgeClient:
        return cast("EventBridgeClient", self._client("events"))

    @property
    def lambda_(self) -> LambdaClient:
        return cast("LambdaClient", self._client("lambda"))

    @property
    def functions(self) -> LambdaClient:
        """Lambda for a call that runs a function, and waits for what the function answers."""
        return cast("LambdaClient", self._client("lambda", FUNCTION_SECONDS))

    @property
    def iam(self) -> IAMClient:
        return cast("IAMClient", self._client("iam"))

    @property
    def logs(self) -> CloudWatchLogsClient:
        return cast("CloudWatchLogsClient", self._client("logs"))

    @property
    def tagging(self) -> ResourceGroupsTaggingAPIClient:
        return cast("ResourceGroupsTaggingAPIClient", self._client("resourcegroupstaggingapi"))

    @property
    def cloudformation(self) -> Any:
        return self._client("cloudformation")

    @property
    def securityhub(self) -> SecurityHubClient:
        return cast("SecurityHubClient", self._client("securityhub"))

    @property
    def cloudwatch(self) -> Any:
        return self._client("cloudwatch")

    @property
    def scheduler(self) -> Any:
        return self._client("scheduler")

    @property
    def cloudtrail(self) -> Any:
        return self._client("cloudtrail")
