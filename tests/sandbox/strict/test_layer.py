"""The strict layer itself."""

from __future__ import annotations

import threading
from pathlib import Path

from moto import mock_aws

from shnotify.sandbox import pending_subscriptions, strict
from shnotify.sandbox.rows import CLOCKS, ROWS
from tests.sandbox.strict.cloud import Cloud, client, refused, subscribe


def test_every_row_has_a_test_and_a_source() -> None:
    texts = [path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py")]
    missing = [row.name for row in ROWS if not any(f"def test_{row.name}(" in text for text in texts)]
    assert missing == []
    assert all(row.cites for row in ROWS)
    assert len({row.name for row in ROWS}) == len(ROWS)


def test_moto_is_itself_again_afterwards() -> None:
    with mock_aws(), strict(clock=lambda: 1.0):
        with strict(clock=lambda: 2.0):
            assert CLOCKS[-1]() == 2.0
        assert CLOCKS[-1]() == 1.0
        assert refused(client("kms").create_key, Policy="{")
    with mock_aws():
        assert client("kms").create_key(Policy="{")
    assert CLOCKS == []


def test_nothing_is_remembered_over_a_reset() -> None:
    with strict(clock=lambda: 1.0):
        for _ in range(2):
            with mock_aws():
                cloud = Cloud()
                cloud.sqs.delete_queue(QueueUrl=cloud.queue())
                assert pending_subscriptions() == []
                subscribe(cloud, cloud.topic())


def test_calls_side_by_side_do_not_break_moto(cloud: Cloud) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(10):
                name = f"{number}-{turn}"
                key = cloud.key()
                cloud.kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key)
                cloud.kms.describe_key(KeyId=f"alias/{name}")
                cloud.sns.create_topic(Name=name, Tags=[{"Key": "a", "Value": "b"}])
                cloud.tagging.get_resources(TagFilters=[{"Key": "a"}])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
