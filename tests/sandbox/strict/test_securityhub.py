"""Security Hub: every row of the strict layer, asked through boto3 as a tool asks it."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.strict.cloud import Cloud, client


def test_security_hub_is_on_until_it_is_disabled(cloud: Cloud) -> None:
    assert client("securityhub").describe_hub()["HubArn"].endswith(":hub/default")


def test_a_disabled_security_hub_stays_off(cloud: Cloud) -> None:
    hub = client("securityhub")
    hub.disable_security_hub()
    with pytest.raises(ClientError, match="InvalidAccessException"):
        hub.describe_hub()
