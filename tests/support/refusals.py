"""Every class of refusal, as AWS words it."""

from __future__ import annotations

from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from tests.support import faults
from tests.support.faults import Fault

URL = "http://aws.invalid"


ERRORS: dict[str, Fault] = {
    "throttled for ever": faults.refuse("ThrottlingException", message="Rate exceeded"),
    "internal error": faults.refuse("InternalFailure", 500),
    "hang": faults.fail_with(ReadTimeoutError(endpoint_url=URL)),
    "no route": faults.fail_with(ConnectTimeoutError(endpoint_url=URL)),
    "refused connection": faults.fail_with(EndpointConnectionError(endpoint_url=URL)),
    "truncated reply": faults.fail_with(ResponseParserError("Unable to parse response, invalid XML")),
    "corrupt reply": faults.fail_with(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")),
    "expired credentials": faults.refuse("ExpiredTokenException", message="The security token is expired"),
    "no credentials": faults.fail_with(NoCredentialsError()),
    "clock skew": faults.refuse("RequestTimeTooSkewed", 403),
    "bad signature": faults.refuse("SignatureDoesNotMatch", 403),
    "denied": faults.refuse("AccessDeniedException", message="User is not authorized"),
    "denied, as moto says it": faults.refuse("403", 403),
    "quota": faults.refuse("LimitExceededException"),
    "changed by somebody": faults.refuse("ConcurrentModificationException"),
}
