"""What keeps a call from ever being made: credentials, the SDK's configuration, the Region, the way through a proxy.

Told by the SDK's exceptions, because no reply of AWS exists.
"""

from __future__ import annotations

from botocore.exceptions import (
    ConfigParseError,
    CredentialRetrievalError,
    InvalidConfigError,
    InvalidRegionError,
    MetadataRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
    RefreshWithMFAUnsupportedError,
    SSLError,
    SSOError,
    TokenRetrievalError,
    UnknownCredentialError,
)

from shnotify.aws.failures import StopError
from shnotify.errors import ShnotifyError, UsageError

CREDENTIALS = (
    CredentialRetrievalError,
    MetadataRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    RefreshWithMFAUnsupportedError,
    SSOError,
    TokenRetrievalError,
    UnknownCredentialError,
)
"""What the SDK raises when it finds no credentials, or cannot make the ones it found usable."""

SIGN_IN = frozenset({"AssumeRole", "AssumeRoleWithWebIdentity", "AssumeRoleWithSAML", "GetRoleCredentials"})
"""Calls that the SDK makes by itself to get credentials (its configuration guide, credential providers)."""


def no_credentials(error: Exception, operation: str | None = None) -> StopError:
    """Nobody we could be: `error` says what the SDK tried."""
    return StopError(
        f"no usable AWS credentials: {error}",
        hint="sign in (for example `aws sso login`), or set AWS_PROFILE or the AWS_ACCESS_KEY_ID variables",
        operation=operation,
        code=type(error).__name__,
    )


def not_set_up(error: Exception) -> ShnotifyError:
    """The error for a session or a client that could not be made, before anything was sent."""
    if isinstance(error, ShnotifyError):
        return error
    if isinstance(error, (*CREDENTIALS, EOFError)):  # EOFError: the SDK asked for an MFA code, and nobody is there
        return no_credentials(error)
    if isinstance(error, InvalidRegionError):
        return UsageError(str(error), hint="a Region looks like eu-west-1")
    if isinstance(error, ProfileNotFound):
        return StopError(str(error), hint="see `aws configure list-profiles`")
    hint = "correct the AWS settings: AWS_ENDPOINT_URL, AWS_CA_BUNDLE, the proxy variables, ~/.aws/config"
    if isinstance(error, ConfigParseError | InvalidConfigError):
        hint = "correct the AWS configuration file (~/.aws/config, or what AWS_CONFIG_FILE names)"
    return StopError(f"the AWS settings cannot be used: {error}", hint=hint, code=type(error).__name__)


def way_hint(error: Exception) -> str:
    """What to do about a call that got no answer, or one that nobody could read."""
    if isinstance(error, SSLError):
        return "if a proxy opens TLS here, name its certificate authority in AWS_CA_BUNDLE; nothing was sent"
    if isinstance(error, ProxyConnectionError):
        return "check HTTPS_PROXY and NO_PROXY; running the command again is safe"
    return "check the network, the proxy and AWS_ENDPOINT_URL; running the command again is safe"
