"""Where Security Hub answers more than moto does: it is on, as it is for everybody who sets up a notifier."""

from __future__ import annotations

from typing import Any

from shnotify.sandbox.rows import Proceed, model

_SWITCHED_OFF: set[int] = set()
"""Back ends whose Security Hub somebody disabled."""


@model("moto.securityhub.models", "SecurityHubBackend.describe_hub", "premise of a notifier: Security Hub is on")
def security_hub_is_on_until_it_is_disabled(backend: Any, proceed: Proceed) -> Any:
    if not backend.enabled and id(backend) not in _SWITCHED_OFF:
        backend.enable_security_hub()
    return proceed()


@model("moto.securityhub.models", "SecurityHubBackend.disable_security_hub", "API_DisableSecurityHub")
def a_disabled_security_hub_stays_off(backend: Any, proceed: Proceed) -> Any:
    if not backend.enabled:
        backend.enable_security_hub()
    _SWITCHED_OFF.add(id(backend))
    return proceed()
