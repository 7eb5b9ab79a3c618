"""What makes two subscribers one. Knows neither the file nor AWS."""

from __future__ import annotations


def subscriber_identity(protocol: str, endpoint: str) -> tuple[str, str]:
    """The protocol and the endpoint; a mail address is the same however it is capitalised."""
    return protocol, endpoint.lower() if protocol.startswith("email") else endpoint
