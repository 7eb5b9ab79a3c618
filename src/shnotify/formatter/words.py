"""The mail's own words, in English and Japanese."""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """One language. `{...}` is filled in by `mail`."""

    what: str
    where: str
    how: str
    links: str
    when: str
    account: str
    region: str
    product: str
    control: str
    compliance: str
    status: str
    types: str
    resource: str
    more: str
    created: str
    updated: str
    first_seen: str
    console: str
    guide: str
    sign_in: str
    source: str
    finding: str
    action: str
    untitled: str
    no_finding: str
    alive: str
    alive_body: str
    alive_counted: str
    alive_but: str
    alive_blind: str
    alive_findings: str
    alive_lost: str
    alive_waiting: str
    alive_none_lost: str
    alive_subscribers: str
    days: str
    row_findings: str
    row_lost: str
    row_waiting: str
    row_subscribers: str
    row_unknown: str
    resolved: str
    passed: str
    sample: str
    resolved_body: str
    cut: str
    failed: str
    folded: str
    folded_body: str


_ENGLISH = Words(
    what="What is wrong",
    where="Where",
    how="How to fix it",
    links="Links",
    when="When",
    account="Account",
    region="Region",
    product="Product",
    control="Control",
    compliance="Compliance",
    status="Status",
    types="Type",
    resource="Resource",
    more="... and {} more",
    created="Created",
    updated="Updated",
    first_seen="First seen",
    console="Console",
    guide="Guide",
    sign_in="Sign in",
    source="Source",
    finding="Finding",
    action="Sent by the custom action",
    untitled="(no title)",
    no_finding="Security Hub event without findings",
    alive="alive: the alerts of {name} get through",
    alive_body="A sign of life. It took the way of an alert; there is nothing to do.",
    alive_counted="alive: {told} ({name})",
    alive_but="A sign of life. It took the way of an alert; others did not arrive: shnotify dlq list, shnotify doctor",
    alive_blind="A sign of life. It took the way of an alert; not all of what happened could be counted.",
    alive_findings="{count} finding{s} since {day}",
    alive_lost="{count} lost",
    alive_waiting="{count} undelivered",
    alive_none_lost="none lost",
    alive_subscribers="{count} subscriber{s}",
    days="Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    row_findings="Findings mailed since {since}",
    row_lost="Lost",
    row_waiting="In the dead-letter queue",
    row_subscribers="Confirmed subscribers",
    row_unknown="Cannot tell",
    resolved="RESOLVED",
    passed="PASSED",
    sample="SAMPLE",
    resolved_body="This finding, which was mailed before, is resolved.",
    cut="[cut here: a mail can hold 256 KB]",
    failed="This event could not be formatted; here it is as it came",
    folded="{} findings",
    folded_body="These {} findings came within a short time, so they share a mail.",
)
_JAPANESE = Words(
    what="内容",
    where="対象",
    how="対処方法",
    links="リンク",
    when="日時",
    account="アカウント",
    region="リージョン",
    product="製品",
    control="コントロール",
    compliance="コンプライアンス",
    status="ステータス",
    types="タイプ",
    resource="リソース",
    more="... 他 {} 件",
    created="作成",
    updated="更新",
    first_seen="初回検出",
    console="コンソール",
    guide="手順",
    sign_in="サインイン",
    source="情報元",
    finding="検出結果",
    action="送信したカスタムアクション",
    untitled="(タイトルなし)",
    no_finding="検出結果を含まない Security Hub イベント",
    alive="正常: {name} の通知は届いています",
    alive_body="定期的な動作確認です。通知と同じ経路で届きました。対応は不要です。",
    alive_counted="正常: {told} ({name})",
    alive_but="定期的な動作確認です。届かなかった通知があります: shnotify dlq list, shnotify doctor",
    alive_blind="定期的な動作確認です。通知と同じ経路で届きましたが、一部の件数は確認できませんでした。",
    alive_findings="{day}以降の検出結果 {count} 件",
    alive_lost="{count} 件消失",
    alive_waiting="未配信 {count} 件",
    alive_none_lost="消失なし",
    alive_subscribers="購読者 {count} 名",
    days="月曜日 火曜日 水曜日 木曜日 金曜日 土曜日 日曜日",
    row_findings="{since} 以降に通知した検出結果",
    row_lost="消失",
    row_waiting="デッドレターキュー内",
    row_subscribers="確認済みの購読者",
    row_unknown="確認できません",
    resolved="解決済み",
    passed="成功",
    sample="サンプル",
    resolved_body="以前に通知した次の検出結果は解決されました。",
    cut="[以下省略: メールの上限は 256 KB です]",
    failed="このイベントは整形できませんでした。元のまま記載します",
    folded="検出結果 {} 件",
    folded_body="短時間に届いた検出結果 {} 件を 1 通にまとめました。",
)
WORDS: dict[str, Words] = {"en": _ENGLISH, "ja": _JAPANESE}
