"""When two subscribers are one."""

from __future__ import annotations

from shnotify.subscribers import subscriber_identity


def test_mail_addresses_are_one_however_they_are_capitalised() -> None:
    assert subscriber_identity("email", "A@b.co") == subscriber_identity("email", "a@B.CO")
    assert subscriber_identity("email-json", "A@b.co") == subscriber_identity("email-json", "a@b.co")


def test_protocols_and_paths_of_urls_are_told_apart() -> None:
    assert subscriber_identity("email", "a@b.co") != subscriber_identity("email-json", "a@b.co")
    assert subscriber_identity("https", "https://b.co/A") != subscriber_identity("https", "https://b.co/a")
