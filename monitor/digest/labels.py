"""The words around the news, in English and Japanese: labels, counts, dates and names of places.

Only what the monitor itself says is translated; headlines and quotes stay as they were written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

LANGS = ("en", "ja")

_WORDS: Mapping[str, tuple[str, str]] = {
    "high": ("High priority", "重要"),
    "normal": ("Also matched", "その他の該当記事"),
    "low": ("For reference", "参考"),
    "alert": ("Alert", "速報"),
    "update": ("Update", "続報"),
    "why": ("Why", "該当理由"),
    "organisations": ("Organisations", "組織"),
    "programmes": ("Programmes", "プログラム"),
    "amounts": ("Amounts", "金額"),
    "outlets": ("Also in", "他の掲載元"),
    "nothing": ("nothing new", "新着なし"),
    "nothing-long": ("Nothing new matched in this period.", "この期間に該当する新着記事はありませんでした。"),
    "browse": ("Browse the archive", "アーカイブを見る"),
    "coverage": ("Coverage", "収集状況"),
    "weekly": ("Weekly round-up", "週間まとめ"),
    "first-look": ("First look", "初回まとめ"),
    "requested": ("On request", "期間指定"),
    "preview": ("Preview", "プレビュー"),
    "automatic": (
        "Sent automatically by japan-tech-monitor. Quotes and headlines belong to their publishers.",
        "japan-tech-monitor による自動送信です。見出しと引用の権利は各発行元に帰属します。",
    ),
    "official": ("official", "公式"),
    "lang-en": ("in English", "英語"),
    "lang-ja": ("in Japanese", "日本語"),
    "window": ("Covers", "対象期間"),
    "comma": (", ", "、"),
}

_NAMES: Mapping[str, tuple[str, str]] = {
    "uk-japan": ("UK–Japan", "日英"),
    "us-japan": ("US–Japan", "日米"),
    "semiconductors": ("Semiconductors", "半導体"),
    "ai": ("AI", "AI"),
    "quantum": ("Quantum", "量子"),
    "telecoms": ("Telecoms", "通信"),
    "cyber": ("Cyber", "サイバー"),
    "digital-government": ("Digital government", "デジタル行政"),
    "space": ("Space", "宇宙"),
    "clean-energy": ("Clean energy", "クリーンエネルギー"),
    "biotech": ("Biotech", "バイオ"),
    "robotics": ("Robotics", "ロボット"),
    "defence-dual-use": ("Defence and dual use", "防衛・デュアルユース"),
    "critical-minerals": ("Critical minerals", "重要鉱物"),
    "supply-chain": ("Supply chain", "サプライチェーン"),
    "skills": ("Skills", "人材"),
    "rd-funding": ("R&D funding", "研究開発資金"),
    "startups-investment": ("Start-ups and investment", "スタートアップ・投資"),
    "industrial-policy": ("Industrial policy", "産業政策"),
    "standards-regulation": ("Standards and regulation", "標準・規制"),
    "export-controls": ("Export controls", "輸出管理"),
    "science-research": ("Science and research", "科学研究"),
    "agreement": ("Agreement", "合意"),
    "joint-statement": ("Joint statement", "共同声明"),
    "funding": ("Funding", "助成"),
    "investment": ("Investment", "投資"),
    "rd-programme": ("R&D programme", "研究開発事業"),
    "visit-talks": ("Visit or talks", "訪問・協議"),
    "event-workshop": ("Event or workshop", "イベント"),
    "company-partnership": ("Company partnership", "企業提携"),
    "policy": ("Policy", "政策"),
    "analysis": ("Analysis", "分析"),
    "other": ("Other", "その他"),
}

_COUNTRIES: Mapping[str, tuple[str, str]] = {
    "gb": ("United Kingdom", "英国"),
    "uk": ("United Kingdom", "英国"),
    "us": ("United States", "米国"),
    "jp": ("Japan", "日本"),
    "int": ("International", "国際"),
    "eu": ("European Union", "EU"),
    "be": ("Belgium", "ベルギー"),
    "fr": ("France", "フランス"),
    "de": ("Germany", "ドイツ"),
    "it": ("Italy", "イタリア"),
    "nl": ("Netherlands", "オランダ"),
    "ch": ("Switzerland", "スイス"),
    "ca": ("Canada", "カナダ"),
    "au": ("Australia", "オーストラリア"),
    "in": ("India", "インド"),
    "kr": ("South Korea", "韓国"),
    "tw": ("Taiwan", "台湾"),
    "sg": ("Singapore", "シンガポール"),
    "hk": ("Hong Kong", "香港"),
    "cn": ("China", "中国"),
}

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LONG_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_JA_DAYS = "月火水木金土日"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LONG_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def word(lang: str, key: str) -> str:
    """One of the monitor's own words. Raises KeyError for a word that does not exist."""
    return _WORDS[key][lang == "ja"]


def name(lang: str, key: str) -> str:
    """A corridor, topic or event for people; an identifier nobody translated is shown as it is."""
    pair = _NAMES.get(key)
    return pair[lang == "ja"] if pair else key


def country(lang: str, code: str) -> str:
    """A country for people; an unknown code in capitals."""
    pair = _COUNTRIES.get(code.lower())
    return pair[lang == "ja"] if pair else code.upper()


# --- counts ----------------------------------------------------------------------------------


def stories(lang: str, count: int) -> str:
    if lang == "ja":
        return f"{count}件"
    return f"{count} {'story' if count == 1 else 'stories'}"


def shown(lang: str, count: int) -> str:
    return f"うち{count}件を掲載" if lang == "ja" else f"{count} shown"


def chart_of(lang: str, corridor: str) -> str:
    return f"週別記事数:{corridor}" if lang == "ja" else f"{corridor}: stories per week"


def topics_of(lang: str, week: str) -> str:
    return f"分野別記事数:{week}の週" if lang == "ja" else f"Stories by topic, week of {week}"


def high_count(lang: str, count: int) -> str:
    return f"重要 {count}件" if lang == "ja" else f"{count} high priority"


def update_count(lang: str, count: int) -> str:
    if lang == "ja":
        return f"続報 {count}件"
    return f"{count} {'update' if count == 1 else 'updates'}"


def more(lang: str, count: int) -> str:
    """What a digest says of the stories that did not fit."""
    if lang == "ja":
        return f"このほか{count}件は掲載しきれませんでした。"
    return f"{count} more {'story' if count == 1 else 'stories'} did not fit in this digest."


def and_more(lang: str, count: int) -> str:
    return f"ほか{count}件" if lang == "ja" else f"{count} more"


def sources_read(lang: str, read: int, sources: int) -> str:
    if lang == "ja":
        return f"情報源{sources}件中{read}件を取得"
    return f"{read} of {sources} sources read"


def failing(lang: str, source: str, since: str) -> str:
    if lang == "ja":
        return f"{source}:{since}から取得できません" if since else f"{source}:取得できません"
    return f"{source} failing since {since}" if since else f"{source} failing"


def silent(lang: str, source: str, since: str) -> str:
    if lang == "ja":
        return f"{source}:{since}から新着なし" if since else f"{source}:新着なし"
    return f"{source} unusually quiet since {since}" if since else f"{source} unusually quiet"


def dead_letters(lang: str, count: int) -> str:
    if lang == "ja":
        return f"配信できなかった通知が{count}件あります(monitor outbox list で確認)"
    noun = "message" if count == 1 else "messages"
    return f"{count} {noun} could not be delivered (see: monitor outbox list)"


_NOTES = (
    (re.compile(r"\+(\d+) outlets?"), "掲載元 +{}"),
    (re.compile(r"\+(\d+) articles?"), "記事 +{}"),
    (re.compile(r"amount now (.+)"), "金額 {}"),
    (re.compile(r"official source: (.+)"), "公式発表:{}"),
)


def update_note(lang: str, note: str) -> str:
    """What is new about a story, in the reader's language; a note of another form stays as it is."""
    if lang != "ja":
        return note
    return "、".join(_note_ja(part) for part in note.split(", "))


def _note_ja(part: str) -> str:
    for pattern, phrase in _NOTES:
        found = pattern.fullmatch(part)
        if found:
            return phrase.format(found[1])
    return part


# --- dates -----------------------------------------------------------------------------------


def day(lang: str, at: datetime, zone: ZoneInfo) -> str:
    """ "Mon 30 Mar" or 3月30日(月), in `zone`."""
    local = at.astimezone(zone)
    if lang == "ja":
        return f"{local.month}月{local.day}日({_JA_DAYS[local.weekday()]})"
    return f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]}"


def long_day(lang: str, at: datetime, zone: ZoneInfo) -> str:
    """ "Monday 30 March 2026" or 2026年3月30日(月), in `zone`."""
    local = at.astimezone(zone)
    if lang == "ja":
        return f"{local.year}年{day(lang, at, zone)}"
    return f"{_LONG_DAYS[local.weekday()]} {local.day} {_LONG_MONTHS[local.month - 1]} {local.year}"


def clock(at: datetime, zone: ZoneInfo) -> str:
    """ "08:00 BST"; the offset where the zone has no letters of its own."""
    local = at.astimezone(zone)
    return f"{local:%H:%M} {local.tzname()}"


def long_moment(lang: str, at: datetime, zone: ZoneInfo) -> str:
    """ "Monday 30 March 2026, 08:00 BST" or 2026年3月30日(月) 16:00 JST, in `zone`."""
    return f"{long_day(lang, at, zone)}{' ' if lang == 'ja' else ', '}{clock(at, zone)}"


def moment(lang: str, at: datetime, zone: ZoneInfo, now: datetime) -> str:
    """A short time for a reader who reads at `now`: with the year when it is not this one's."""
    local = at.astimezone(zone)
    text = f"{day(lang, at, zone)} {local:%H:%M}" if lang == "ja" else f"{day(lang, at, zone)}, {local:%H:%M}"
    if local.year == now.astimezone(zone).year:
        return text
    return f"{local.year}年{text}" if lang == "ja" else f"{day(lang, at, zone)} {local.year}, {local:%H:%M}"


def since(lang: str, at: datetime, zone: ZoneInfo, now: datetime) -> str:
    """ "Tue 14:00" within the last six days, else with its date."""
    local = at.astimezone(zone)
    if now - at >= timedelta(days=6):
        return moment(lang, at, zone, now)
    if lang == "ja":
        return f"{_JA_DAYS[local.weekday()]}曜{local:%H:%M}"
    return f"{_DAYS[local.weekday()]} {local:%H:%M}"
