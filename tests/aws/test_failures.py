"""What an error reply becomes for a person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shnotify.aws.failures import from_reply

PAGE = (
    "<!doctype html>\n<html lang=en>\n<title>500 Internal\n Server &amp; Error</title>\n"
    "<h1>Internal Server Error</h1>\n<p>The server met an error.</p>\n"
)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (PAGE, "a web page came back: 500 Internal Server & Error"),
        ("<html><body>blocked</body></html>", "a web page came back"),
        ("<html><title></title>", "a web page came back"),
        ("Value <html> is not valid", "Value <html> is not valid"),
        ("no such finding", "no such finding"),
    ],
)
def test_of_a_web_page_only_the_title_is_told(message: str, told: str) -> None:
    error = from_reply("securityhub:BatchUpdateFindings", "500", message, 500, None)
    assert error.message == f"securityhub:BatchUpdateFindings failed: 500: {told}"


@given(st.text())
def test_a_page_however_long_or_odd_is_one_short_line(text: str) -> None:
    error = from_reply("sns:Publish", "500", f"<html><title>{text}</title>{text}", 500, None)
    assert len(error.message.splitlines()) == 1
    assert len(error.message) < 260
