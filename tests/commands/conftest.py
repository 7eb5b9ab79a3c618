"""Fixtures of the commands' tests."""

from tests.support.lambda_mode import applied, formatting  # noqa: F401
from tests.support.process import env, sandbox  # noqa: F401
