"""The errors that a function in the sandbox gets from the SDK."""

from __future__ import annotations

from botocore.exceptions import ClientError


def client_error(code: str, message: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)
