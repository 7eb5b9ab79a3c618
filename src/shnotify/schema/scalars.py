"""The scalar types of the configuration: how each is written, its limits, and what is said when it
is wrong.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Any

from shnotify.arns import partition_of
from shnotify.escaping import without_password
from shnotify.schema.model import After, Before
from shnotify.schema.regions import region_problem

_DURATION = r"([0-9]{1,9})(s|m|h|d)?"
_UNITS = {None: 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_SIZE = r"([0-9]{1,9})(B|KiB|MiB)?"
_SIZE_UNITS = {None: 1, "B": 1, "KiB": 1024, "MiB": 1024 * 1024}
_MAIL = (
    r"(?=[^@]{1,64}@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
)
_PHONE = r"\+[1-9][0-9]{6,14}"
_ARNS = {
    "sqs": (r"[A-Za-z0-9_-]{1,80}", "queue-name"),
    "lambda": (
        r"function:[A-Za-z0-9_-]{1,64}(?::(?:\$LATEST|[A-Za-z0-9_-]{1,128}))?",
        "function:name",
    ),
}
"""The end of a subscriber's ARN.

A standard topic takes no FIFO queue (SNS Developer Guide, sns-fifo-topics).
"""
MAX_ROUTES, MAX_SUBSCRIBERS, MAX_VALUES = 100, 1000, 1000
"""Far beyond what a notifier has; an event pattern of 4,096 characters holds fewer values."""
_TAG_EXTRA = frozenset("+-=._:/@ ")


def shown(value: object) -> str:
    """Shows a value in one line of at most 80 characters, without a URL's password."""
    text = without_password(repr(value))
    return text if len(text) <= 80 else f"{text[:79]}…"


def spoken(seconds: int) -> str:
    """Turns `300` into `5m`; a single day is `24h`."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0 and (unit, seconds) != ("d", size):
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def duration(low: int, high: int) -> Before:
    """Reads seconds, written `30s`, `5m`, `24h`, `4d` or as a whole number.

    Between `low` and `high` inclusive.
    """

    return Before(lambda value: seconds_in(value, low, high), form="duration")


def seconds_in(value: Any, low: int, high: int) -> int:
    """Reads one such duration. Raises ValueError with what would be right."""
    found = (
        re.fullmatch(_DURATION, str(value))
        if isinstance(value, int | str) and not isinstance(value, bool)
        else None
    )
    if not found:
        raise ValueError(
            "must be a duration such as 30s, 5m, 24h or 4d, or a whole number of seconds"
        )
    seconds = int(found[1]) * _UNITS[found[2]]
    if not low <= seconds <= high:
        raise ValueError(f"must be between {spoken(low)} and {spoken(high)}")
    return seconds


def _days(value: Any) -> int:
    seconds = _seconds(value)
    if seconds is None or seconds % 86400 or not 7 <= seconds // 86400 <= 30:
        bare = isinstance(value, int) and 7 <= value <= 30
        raise ValueError(
            f"must be whole days between 7d and 30d (KMS allows nothing else){f': write {value}d' if bare else ''}"
        )
    return seconds // 86400


def _seconds(value: Any) -> int | None:
    found = (
        re.fullmatch(_DURATION, str(value))
        if isinstance(value, int | str) and not isinstance(value, bool)
        else None
    )
    return int(found[1]) * _UNITS[found[2]] if found else None


def size(low: int, high: int) -> Before:
    """Reads bytes, written `256KiB`, `1MiB` or as a whole number."""

    def read(value: Any) -> int:
        found = (
            re.fullmatch(_SIZE, str(value))
            if isinstance(value, int | str) and not isinstance(value, bool)
            else None
        )
        if not found:
            raise ValueError("must be a size such as 256KiB or 1MiB, or a whole number of bytes")
        count = int(found[1]) * _SIZE_UNITS[found[2]]
        if not low <= count <= high:
            raise ValueError(f"must be between {low} and {high} bytes")
        return count

    return Before(read, form="size")


def matching(pattern: str, words: str) -> After:
    """Takes text of this form; `words` say what is allowed."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"must be {words}")
        return value

    return After(check)


def line(limit: int, what: str) -> After:
    """Takes one line of text without control characters, at most `limit` characters."""

    def check(value: str) -> str:
        if len(value) > limit:
            raise ValueError(f"{what} has at most {limit} characters, this has {len(value)}")
        if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in value):
            raise ValueError(f"{what} must be one line without control characters")
        return value

    return After(check)


def _account(value: Any) -> str:
    if (
        isinstance(value, int) and 9 <= len(str(value)) <= 12
    ):  # a reader of numbers drops the zeros in front
        raise ValueError(f'write it in quotes: "{value:012d}"')
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{12}", value):
        raise ValueError('must be a twelve-digit account id in quotes, such as "123456789012"')
    return value


def _alias(value: str) -> str:
    if value.startswith("alias/aws/"):
        raise ValueError(
            "alias/aws/... are AWS's own keys: their policies cannot be changed, so EventBridge could not use them"
        )
    if not re.fullmatch(r"alias/[a-zA-Z0-9/_-]{1,250}", value):
        raise ValueError(
            "must be alias/ and then letters, digits, / _ or -, at most 256 characters in all"
        )
    return value


def _key_arn(value: str) -> str:
    if not re.fullmatch(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[a-zA-Z0-9-]+", value):
        raise ValueError(
            "must be the ARN of a key (arn:aws:kms:REGION:ACCOUNT:key/ID), not an alias or an id"
        )
    if problem := _partition_problem(value):
        raise ValueError(problem)
    return value


def _partition_problem(arn: str) -> str | None:
    _, partition, _, region, *_ = arn.split(":")
    right = partition_of(region)
    return (
        None
        if partition == right
        else f"names {region} in {partition}, and it is in {right}: arn:{right}:..."
    )


def tag_problem(key: str, value: str) -> str | None:
    """Says why AWS (or shnotify) would not take this tag, or returns None."""
    for text, what, limit in ((key, "key", 128), (value, "value", 256)):
        if len(text) > limit:
            return f"a tag's {what} has at most {limit} characters"
        if not all(c in _TAG_EXTRA or unicodedata.category(c)[0] in "LN" for c in text):
            marks = (
                " (a letter with its mark as one character)"
                if unicodedata.normalize("NFC", text) != text
                else ""
            )
            return f"a tag's {what} may hold letters, digits, spaces and + - = . _ : / @{marks}"
    if not key:
        return "a tag needs a key"
    if key.lower().startswith("aws:"):
        return "tags that begin with aws: are AWS's own"
    if key.lower().startswith("shnotify:") or key == "managed-by":
        return "this tag is set by shnotify itself"
    return None


def endpoint_problem(protocol: str, endpoint: str) -> str | None:
    """Says why this endpoint does not fit its protocol (API_Subscribe), or returns None."""
    match protocol:
        case "email" | "email-json":
            return _mail_problem(endpoint)
        case "sms":
            fits = re.fullmatch(_PHONE, endpoint)
            return None if fits else "must be a phone number such as +819012345678"
        case "http" | "https":
            return _url_problem(protocol, endpoint)
        case _:
            form, example = _ARNS[protocol]
            arn = re.fullmatch(
                rf"arn:aws[a-z-]*:{protocol}:[a-z0-9-]+:[0-9]{{12}}:{form}", endpoint
            )
            if not arn:
                return f"must be an ARN such as arn:aws:{protocol}:REGION:ACCOUNT:{example}"
            return _partition_problem(endpoint)


def _mail_problem(endpoint: str) -> str | None:
    if meant := _other_protocol(endpoint):
        return f"is not an e-mail address: write {meant}"
    if not endpoint.isascii():
        return "is not in ASCII, and SNS takes no other address: write its domain in its xn-- form"
    fits = bool(re.fullmatch(_MAIL, endpoint)) and len(endpoint) <= 254
    return None if fits else "is not an e-mail address such as secops@example.com"


def _other_protocol(endpoint: str) -> str | None:
    """Says how a bare endpoint that is plainly no mail address is written."""
    if endpoint.startswith("mailto:"):
        return endpoint.removeprefix("mailto:")
    phone = re.sub(r"[ ().-]", "", endpoint)
    if re.fullmatch(_PHONE, phone):
        return f'{{protocol: sms, endpoint: "{phone}"}}'
    protocol = next((name for name in ("https", "http") if endpoint.startswith(f"{name}://")), None)
    if endpoint.startswith("arn:"):
        protocol = next((name for name in _ARNS if f":{name}:" in endpoint), None)
        if protocol is None:
            return (
                "an address, or {protocol: sqs, endpoint: ARN} or {protocol: lambda, endpoint: ARN}"
            )
    return f'{{protocol: {protocol}, endpoint: "{endpoint}"}}' if protocol else None


def _url_problem(protocol: str, endpoint: str) -> str | None:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(endpoint)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not a URL"
    if (
        parts.scheme != protocol
        or not host
        or re.search(r"\s|[^\x21-\x7e]", endpoint)
        or len(endpoint) > 2048
    ):
        return f"must be a URL that begins with {protocol}:// and names a host"
    if parts.username or parts.password:
        return "must not carry a user or a password: the file has no place for secrets"
    return None


def _time_zone(value: str) -> str:
    from shnotify.schema.timezones import time_zone_problem

    if problem := time_zone_problem(value):
        raise ValueError(problem)
    return value


def _https_url(value: str) -> str:
    if problem := _url_problem("https", value):
        raise ValueError(problem)
    return value


def _region(value: str) -> str:
    if problem := region_problem(value):
        raise ValueError(problem)
    return value


TimeZone = Annotated[str, After(_time_zone)]
HttpsUrl = Annotated[str, After(_https_url)]
Account = Annotated[str, Before(_account)]
Alias = Annotated[str, After(_alias)]
KeyArn = Annotated[str, After(_key_arn)]
Days = Annotated[int, Before(_days, form="days")]
NotifierName = Annotated[
    str,
    matching(
        r"[a-z][a-z0-9-]{0,39}",
        "a small letter, then small letters, digits or -, at most 40 in all",
    ),
]
RouteName = Annotated[
    str,
    matching(
        r"[a-z][a-z0-9-]{0,19}",
        "a small letter, then small letters, digits or -, at most 20 in all",
    ),
]
TopicName = Annotated[
    str,
    matching(
        r"[A-Za-z0-9_-]{1,256}", "1 to 256 letters, digits, _ or - (FIFO topics cannot send e-mail)"
    ),
]
QueueName = Annotated[
    str,
    matching(
        r"[A-Za-z0-9_-]{1,80}",
        "1 to 80 letters, digits, _ or - (EventBridge takes no FIFO queue here)",
    ),
]
RuleName = Annotated[str, matching(r"[.A-Za-z0-9_-]{1,64}", "1 to 64 letters, digits, . _ or -")]
RegionName = Annotated[str, After(_region)]
