"""What keeps a call from ever being made: credentials, the SDK's configuration, the Region, the way
through a proxy.

Told by the SDK's exceptions, because no reply of AWS exists.
"""

from __future__ import annotations

import getpass
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from copy import copy
from dataclasses import field
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ConfigParseError,
    CredentialRetrievalError,
    InvalidConfigError,
    InvalidRegionError,
    LoginError,
    MetadataRetrievalError,
    MissingDependencyException,
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
from botocore.session import Session

from shnotify.aws.failures import StopError
from shnotify.errors import ShnotifyError, UsageError
from shnotify.frozen import frozen

CREDENTIAL_ERRORS = (
    CredentialRetrievalError,
    LoginError,
    MetadataRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    RefreshWithMFAUnsupportedError,
    SSOError,
    TokenRetrievalError,
    UnknownCredentialError,
)
"""What the SDK raises when it finds no credentials, or cannot make the ones it found usable."""

SIGN_IN = frozenset(
    {"AssumeRole", "AssumeRoleWithWebIdentity", "AssumeRoleWithSAML", "GetRoleCredentials"}
    | {"CreateToken", "CreateOAuth2Token"}
)
"""Calls that the SDK makes by itself to get credentials (its configuration guide, credential
providers).
"""


@frozen
class SignIn:
    """Says how the person signs in, according to the SDK's configuration.

    profile  the profile in use, or None
    command  what renews the credentials at their source, or None when the configuration does not
             tell
    started  the credential processes that the SDK has started
    unasked  what was said when the SDK wanted to ask and nobody was there: it asks one thread only,
             and tells all others that it cannot
    """

    profile: str | None = None
    command: str | None = None
    started: list[subprocess.Popen[bytes]] = field(default_factory=list, compare=False)
    unasked: list[StopError] = field(default_factory=list, compare=False)

    @classmethod
    def of(cls, session: Session) -> SignIn:
        """Reads the profile and the profiles that it takes its credentials from.

        Asks no credential provider.
        """
        name = session.profile or "default"
        try:
            profiles = session.full_config.get("profiles", {})
        except (BotoCoreError, ValueError, OSError):
            return cls(session.profile)
        return cls(session.profile, _command(profiles, name))


def _command(profiles: Mapping[str, Mapping[str, str]], name: str) -> str | None:
    """Returns the command that renews the credentials of the first profile in the chain that signs
    in.
    """
    for _ in range(len(profiles) + 1):  # a chain may end in itself
        profile = profiles.get(name, {})
        if "sso_session" in profile or "sso_start_url" in profile:
            return f"aws sso login --profile {name}"
        if "login_session" in profile:
            return f"aws login --profile {name}"
        if "source_profile" not in profile:
            return None
        name = profile["source_profile"]
    return None


def ask_only_on_a_terminal(session: Session, sign_in: SignIn) -> None:
    """Lets the SDK ask for an MFA code on a terminal, and raise an error with a way out elsewhere.

    The SDK itself asks on any terminal it finds, or reads standard input. Raises nothing here.
    """

    def ask(prompt: str) -> str:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            of_profile = f"profile {sign_in.profile}" if sign_in.profile else "the default profile"
            device = prompt.removeprefix("Enter MFA code for ").rstrip(": ")
            refusal = StopError(
                f"no usable AWS credentials: {of_profile} wants an MFA code (mfa_serial {device}), "
                "and nobody can be asked here",
                hint="get a session first, for example with `aws sts get-session-token` or "
                "`aws configure export-credentials --format env`, and run the same command again",
                operation="sts:AssumeRole",
                code="MfaCodeNeeded",
            )
            sign_in.unasked.append(refusal)
            raise refusal
        return getpass.getpass(prompt, stream=sys.stderr)

    with suppress(UnknownCredentialError):
        provider = session.get_component("credential_provider").get_provider("assume-role")
        provider._prompter = (
            ask  # what AssumeRoleProvider takes as `prompter`; a session offers no other door
        )


def watch_processes(session: Session, sign_in: SignIn) -> None:
    """Keeps each credential process that the SDK starts, for its exit code.

    The SDK's error holds only what the process wrote, which may be a secret. Raises nothing.
    """

    def started(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(*arguments, **options)  # noqa: S603 the SDK's own command line
        sign_in.started.append(process)
        return process

    with suppress(UnknownCredentialError):
        provider = session.get_component("credential_provider").get_provider("custom-process")
        provider._popen = started  # what ProcessProvider takes as `popen`


def no_credentials(error: Exception, sign_in: SignIn, operation: str | None = None) -> StopError:
    """Makes the error for missing or unusable credentials. `error` is the SDK's own exception."""
    if sign_in.unasked and isinstance(error, RefreshWithMFAUnsupportedError):
        return copy(sign_in.unasked[0])
    hint = "sign in (for example `aws sso login`), or set AWS_PROFILE or the AWS_ACCESS_KEY_ID variables"
    if isinstance(error, EOFError):
        error = RefreshWithMFAUnsupportedError()
    if sign_in.command:
        hint = f"run `{sign_in.command}`, then the same command again"
    elif sign_in.profile:
        hint = f"renew the credentials of profile {sign_in.profile}, as ~/.aws/config names their source"
    whose = f" (profile {sign_in.profile})" if sign_in.profile else ""
    return StopError(
        f"no usable AWS credentials{whose}: {_said(error, sign_in)}",
        hint=hint,
        operation=operation,
        code=type(error).__name__,
    )


def _said(error: Exception, sign_in: SignIn) -> str:
    """Returns what the SDK says, without what a credential process wrote, for that may hold a
    secret.
    """
    provider = getattr(error, "kwargs", {}).get("provider")
    if isinstance(error, CredentialRetrievalError) and provider == "custom-process":
        code = next((one.returncode for one in reversed(sign_in.started)), None)
        ended = f"ended with exit code {code}" if code else "failed or gave no credentials"
        return f"its credential_process {ended}; run it by hand to see why"
    return str(error)


def not_set_up(error: Exception, sign_in: SignIn) -> ShnotifyError:
    """Makes the error for a session or client that could not be made, before anything was sent."""
    if isinstance(error, ShnotifyError):
        return error
    if isinstance(error, MissingDependencyException):
        return StopError(
            f"no usable AWS credentials: {error}",
            hint="install shnotify with its `login` extra (`pip install '.[login]'` in its folder), or "
            "hand the credentials over: `aws configure export-credentials --format env`",
            code=type(error).__name__,
        )
    if isinstance(
        error, (*CREDENTIAL_ERRORS, EOFError)
    ):  # EOFError: the SDK asked for an MFA code, and nobody is there
        return no_credentials(error, sign_in)
    if isinstance(error, InvalidRegionError):
        return UsageError(str(error), hint="a Region looks like eu-west-1")
    if isinstance(error, ProfileNotFound):
        return StopError(str(error), hint="see `aws configure list-profiles`")
    hint = "correct the AWS settings: AWS_ENDPOINT_URL, AWS_CA_BUNDLE, the proxy variables, ~/.aws/config"
    if isinstance(error, ConfigParseError | InvalidConfigError):
        hint = "correct the AWS configuration file (~/.aws/config, or what AWS_CONFIG_FILE names)"
    return StopError(
        f"the AWS settings cannot be used: {error}", hint=hint, code=type(error).__name__
    )


def network_hint(error: Exception) -> str:
    """Says what to do about a call without an answer, or with one that nobody could read."""
    if isinstance(error, SSLError):
        return "if a proxy opens TLS here, name its certificate authority in AWS_CA_BUNDLE; nothing was sent"
    if isinstance(error, ProxyConnectionError):
        return "check HTTPS_PROXY and NO_PROXY; running the command again is safe"
    return "check the network, the proxy and AWS_ENDPOINT_URL; running the command again is safe"
