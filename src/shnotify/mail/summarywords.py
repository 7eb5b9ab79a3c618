"""A summary's own words in Japanese: its labels, its first line, and why a mail names no text. Pure."""

from __future__ import annotations

import re

_JAPANESE = {
    "Severity": "重大度",
    "Title": "タイトル",
    "Account": "アカウント",
    "Account name": "アカウント名",
    "Region": "リージョン",
    "Product": "製品",
    "Product name": "製品名",
    "Control": "コントロール",
    "Compliance": "コンプライアンス",
    "Resource": "リソース",
    "Resource type": "リソースタイプ",
    "Resource name": "リソース名",
    "Description": "説明",
    "Status": "ステータス",
    "State": "状態",
    "Created": "作成",
    "Updated": "更新",
    "Finding": "検出結果",
    "Event": "イベント",
    "Details": "詳細",
    "{severity} Security Hub finding in account {account}, {region}": (
        "{severity} Security Hub の検出結果 (アカウント {account}、{region})"
    ),
    "Not named here: title, resource and id. One of them is missing, or holds a quote, a backslash, a tab or "
    "a line break, which EventBridge cannot put into a mail.": (
        "タイトル、リソース、ID はここに書けません。どれかがないか、EventBridge がメールに入れられない文字 (引用符、"
        "バックスラッシュ、タブ、改行) を含みます。"
    ),
    "Not named here: title, resource and id. The route has one rule only (shnotify status says why).": (
        "タイトル、リソース、ID はここに書けません。ルートのルールが 1 つだけのためです (理由は shnotify status)。"
    ),
}
"""A line, or its label -> the same in Japanese; the labels are those of the formatter's mails."""
_LABELLED = re.compile(r"([A-Z][a-z ]+?)( \(if any\))?: (.*)", re.DOTALL)


def in_language(line: str, language: str) -> str:
    """Writes a line of a summary in the language of the mails: en or ja."""
    if language == "en":
        return line
    if line in _JAPANESE:
        return _JAPANESE[line]
    found = _LABELLED.fullmatch(line)
    if not found:
        return line  # nothing but fields
    return f"{_JAPANESE[found[1]]}{' (あれば)' if found[2] else ''}: {found[3]}"
