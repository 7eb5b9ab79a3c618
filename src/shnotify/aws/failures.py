"""What AWS's refusals mean: which are worth another try, and what a person can do about the others.

Pure.
"""

from __future__ import annotations

import re
from html import unescape

from shnotify.aws.operations import action_of
from shnotify.errors import ShnotifyError

NOT_FOUND = frozenset(
    {
        "NotFound",
        "NotFoundException",
        "ResourceNotFound",
        "ResourceNotFoundException",
        "QueueDoesNotExist",
    }
    | {"NoSuchEntity"}
    | {"AWS.SimpleQueueService.NonExistentQueue"}
)
THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "Throttled",
        "ThrottledException",
        "RequestThrottled",
        "SlowDown",
    }
    | {
        "RequestThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
    }
    | {"PriorRequestNotComplete", "TransactionInProgressException", "KMS.ThrottlingException"}
)
TRANSIENT = frozenset(
    {
        "InternalFailure",
        "InternalError",
        "InternalException",
        "KMSInternalException",
        "DependencyTimeoutException",
    }
    | {
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "RequestTimeout",
        "RequestTimeoutException",
    }
)
CONFLICT = frozenset(
    {
        "ConcurrentModification",
        "ConcurrentModificationException",
        "ConcurrentAccess",
        "ConcurrentAccessException",
        "OperationAbortedException",
        "StaleTag",
        "StaleTagException",
    }
)
"""Somebody else writes at the same moment; the SDK does not retry these by itself."""
DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "NotAuthorized",
    }
    | {"UnauthorizedOperation", "KMS.AccessDeniedException", "Forbidden", "403"}
)
CREDENTIAL_CODES = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
    }
    | {"IncompleteSignature", "InvalidAccessKeyId", "MissingAuthenticationToken", "AuthFailure"}
    | {
        "InvalidToken",
        "InvalidSecurity",
        "TokenRefreshRequired",
        "OptInRequired",
        "SubscriptionRequiredException",
    }
)
REGION_OFF = frozenset(
    {
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "OptInRequired",
        "SubscriptionRequiredException",
    }
    | {"AuthFailure"}
)
"""How AWS also refuses good credentials in a Region that must be enabled first (IAM User Guide, STS
and Regions).
"""
CLOCK = frozenset({"RequestTimeTooSkewed", "SignatureDoesNotMatch", "InvalidSignatureException"})
QUOTA = frozenset(
    {
        "LimitExceededException",
        "LimitExceeded",
        "TopicLimitExceeded",
        "SubscriptionLimitExceeded",
        "OverLimit",
    }
    | {"TagLimitExceeded", "TagLimitExceededException", "FilterPolicyLimitExceeded"}
)


class AwsError(ShnotifyError):
    """AWS, or the network on the way, refused one call."""


class DeniedError(AwsError):
    """The caller may not make the call. The refusal proves nothing about what exists."""


class StopError(AwsError):
    """No further call can succeed: bad credentials, no time left, or an interrupt."""


class UnansweredError(AwsError):
    """A call that is not idempotent got no answer; the call may have taken effect."""


class AlreadyThereError(AwsError):
    """AWS says that the thing to create exists; somebody made the thing after the last look."""


class UnexpectedError(AwsError):
    """AWS answered something that is in none of its documents."""

    def __init__(self, error: Exception, resource: str | None = None) -> None:
        super().__init__(
            f"an answer of AWS could not be understood: {type(error).__name__}: {error}",
            hint="run the same command again; if it stays, please report it with this text",
            resource=resource,
            code=type(error).__name__,
        )


class WriteRefusedError(ShnotifyError):
    """A bug of ours: a read-only run was about to make a call that is not on the read list."""


def bare_code(code: str) -> str:
    """Returns a code without the prefix of SQS's older codes (API_CreateQueue, Errors)."""
    return code.removeprefix("AWS.SimpleQueueService.")


def from_reply(
    operation: str, code: str, message: str, status: int, target: str | None
) -> AwsError:
    """Makes the error for an error reply: what AWS said, and what to do about it.

    SNS gives its quota errors the HTTP status 403 (API_CreateTopic, Errors), so codes are looked at
    before the status.
    """
    message = _of_page(message)
    text = f"{operation} failed{f' on {target}' if target else ''}: {code}: {message}"
    kind: type[AwsError] = AwsError
    hint: str | None = None
    bare = bare_code(code)
    if bare in CREDENTIAL_CODES:
        kind, hint = (
            StopError,
            "renew your credentials (for example `aws sso login`) and run the same command again",
        )
        if bare in REGION_OFF:
            hint += "; a Region that is not enabled for the account answers like this too"
    elif bare in CLOCK:
        kind, hint = StopError, "check this machine's clock against AWS's, and the secret key"
    elif bare in THROTTLED or status == 429:
        text = f"{operation} was throttled for as long as we kept trying: {message}"
        hint = "run the same command again in a minute; what is done stays done"
    elif bare in QUOTA:
        hint = "a quota of the account is used up: remove what is unused, or ask AWS to raise it"
    elif bare.startswith("HTTP "):
        hint = "that is no error of AWS: check the proxy and AWS_ENDPOINT_URL; running the command again is safe"
    elif bare in DENIED or status == 403:
        kind, hint = DeniedError, _permission_hint(operation, message, target)
    elif bare == "MalformedPolicyDocumentException":
        hint = "the caller must be allowed kms:PutKeyPolicy on its own keys by IAM; check its policies and SCPs"
    return kind(text, hint=hint, operation=operation, code=code, resource=None)


def _of_page(message: str) -> str:
    """Returns what AWS said; of a web page, which a proxy answers with, only the title."""
    if not re.match(r"\s*<(!doctype|html)", message, re.IGNORECASE):
        return message
    found = re.search(r"<title[^>]*>([^<]*)", message, re.IGNORECASE)
    title = " ".join(unescape(found[1]).split())[:_TITLE] if found else ""
    return f"a web page came back{f': {title}' if title else ''}"


_TITLE = 200
"""Characters of a page's title that are told."""


def _permission_hint(operation: str, message: str, target: str | None) -> str:
    """Says which kind of policy denies, as AWS's text tells (IAM User Guide, troubleshoot access
    denied).
    """
    if found := re.search(r"explicit deny in an? ([a-z -]*policy)", message):
        return f"a {found[1]} forbids it, and no permission of the caller can help: whoever keeps that policy must"
    return f"allow {action_of(operation)} for the caller{f' on {target}' if target else ''}, then run it again"
