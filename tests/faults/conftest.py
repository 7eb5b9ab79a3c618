"""Fixtures of the fault rows."""

from tests.support.process import env, sandbox  # noqa: F401
from tests.support.rows import bare  # noqa: F401
