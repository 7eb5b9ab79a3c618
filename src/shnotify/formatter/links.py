"""Addresses in AWS's console."""

from __future__ import annotations

from urllib.parse import quote

CONSOLE_HOSTS = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-eusc": "console.amazonaws-eusc.eu",
}
"""Partition -> the console's host."""


def console_url(schema: str, partition: str, region: str, finding_id: str) -> str:
    """The finding in the console; schema: "cspm" or "hub", region: the one whose Security Hub sent
    the event.

    The console reads its search out of the fragment, encoded twice (automated-security-response-on-aws
    does the same).
    """
    path, name = (
        ("/securityhub/home", "Id")
        if schema == "cspm"
        else ("/securityhub/v2/home", "finding_info.uid")
    )
    # A lone surrogate cannot be encoded, and a link must never be the reason that a mail fails.
    once = quote("\\operator\\:EQUALS\\:" + finding_id, safe="operatEQUALS", errors="replace")
    host = CONSOLE_HOSTS.get(partition, CONSOLE_HOSTS["aws"])
    where = f"https://{host}{path}?region={quote(region, safe='')}"
    return f"{where}#/findings?search={quote(name)}%3D{quote(once, safe='')}"


def encoded(address: str) -> str:
    """A product's own address, with everything percent-encoded that would end or forge a link (RFC
    3986).
    """
    return quote(address, safe=":/?#[]@!$&'()*+,;=%~-._", errors="replace")
