"""The peers: `peers.py bound|sequential|cli PHASE NAME`, against AWS_ENDPOINT_URL."""

from __future__ import annotations

import gc
import sys

if __name__ == "__main__" and sys.argv[1] == "bound":
    gc.disable()

import json
import os
import subprocess
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from pipeline import Call, Pipeline, Replies

NOT_THERE = ("NotFound", "NonExistent", "does not exist")


def sequential(calls: list[Call]) -> None:
    """Makes the calls one after another with boto3, as one writes it in an hour."""
    import boto3
    from botocore.exceptions import ClientError

    clients = {name: boto3.client(name) for name in ("sts", "kms", "sns", "sqs", "events")}
    replies: Replies = {}
    for call in calls:
        try:
            method = getattr(clients[call.service], call.operation)
            replies[call.name] = method(**call.params(replies))
        except ClientError as error:
            if not call.absent or not any(word in str(error) for word in NOT_THERE):
                raise


def cli(calls: list[Call]) -> None:
    """Starts the AWS CLI once a call, as a shell script does."""
    replies: Replies = {}
    for call in calls:
        words = [call.service, call.operation.replace("_", "-")]
        given = json.dumps(call.params(replies))
        ran = subprocess.run(
            ["aws", "--endpoint-url", os.environ["AWS_ENDPOINT_URL"], *words, "--output", "json",
             *(("--cli-input-json", given) if given != "{}" else ())],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if ran.returncode and not (call.absent and any(word in ran.stderr for word in NOT_THERE)):
            sys.exit(f"{call.name}: {ran.stderr}")
        if ran.returncode == 0 and ran.stdout.strip():
            replies[call.name] = json.loads(ran.stdout)


def bound(calls: list[Call]) -> None:
    """Starts each call as soon as what it needs is there, with every trick that is worth it."""
    import boto3  # noqa: F401 part of what the brief asks for
    import botocore.session
    from botocore.config import Config
    from botocore.exceptions import ClientError

    session = botocore.session.Session()
    _known_services(session)
    settings = Config(max_pool_connections=16)
    clients: dict[str, Any] = {}
    replies: Replies = {}
    done: set[str] = set()
    pool = ThreadPoolExecutor(16)
    running: dict[Future[Any], Call] = {}
    left = list(calls)
    _one_context()
    while left or running:
        for call in [one for one in left if done.issuperset(one.needs)]:
            left.remove(call)
            if call.service not in clients:
                clients[call.service] = session.create_client(call.service, config=settings)
            method = getattr(clients[call.service], call.operation)
            running[pool.submit(method, **call.params(replies))] = call
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            call = running.pop(future)
            try:
                replies[call.name] = future.result()
            except ClientError as error:
                if not call.absent or not any(word in str(error) for word in NOT_THERE):
                    raise
            done.add(call.name)
    gc.freeze()


def _known_services(session: Any) -> None:
    from botocore.loaders import Loader

    class Known(Loader):
        def list_available_services(self, type_name: str) -> list[str]:
            return ["sts", "kms", "sns", "sqs", "events"]

    session.register_component("data_loader", Known())


def _one_context() -> None:
    import ssl

    from botocore import httpsession

    class Once(ssl.SSLContext):
        read: Any = None

        def load_verify_locations(self, *where: Any, **named: Any) -> None:
            if self.read != (where, named):
                super().load_verify_locations(*where, **named)
                self.read = (where, named)

    httpsession.SSLContext = Once  # type: ignore[misc, assignment]
    made = httpsession.create_urllib3_context()
    httpsession.create_urllib3_context = lambda *_, **__: made


if __name__ == "__main__":
    peer, phase, name = sys.argv[1:]
    pipeline = Pipeline(name, os.environ["AWS_ENDPOINT_URL"], short=peer == "bound")
    {"bound": bound, "sequential": sequential, "cli": cli}[peer](pipeline.calls(phase))
