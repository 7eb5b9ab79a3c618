"""One strict AWS for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from shnotify.sandbox import strict
from tests.sandbox.strict.cloud import Cloud


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with mock_aws():
        made = Cloud()
        with strict(clock=lambda: made.moment):
            yield made
