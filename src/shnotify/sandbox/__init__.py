"""An embedded AWS for demonstrations and tests: moto, made as strict as AWS is, on the loopback
interface.

It comes with the extra `[sandbox]`; nothing else in the package imports it at start-up.
"""

from __future__ import annotations

from importlib.util import find_spec

from shnotify.errors import ShnotifyError

if any(find_spec(name) is None for name in ("moto", "flask", "flask_cors")):
    raise ShnotifyError(
        "the embedded AWS is not installed",
        hint="install shnotify with its extra: pip install '.[sandbox]' in its folder (or pipx install --force)",
        code="SandboxNotInstalled",
    )

from shnotify.sandbox.server import Sandbox
from shnotify.sandbox.strict import strict
from shnotify.sandbox.subscriptions import (
    Pending,
    confirm_subscription,
    pending_subscriptions,
    suspend_subscription,
)

__all__ = [
    "Pending",
    "Sandbox",
    "confirm_subscription",
    "pending_subscriptions",
    "strict",
    "suspend_subscription",
]
