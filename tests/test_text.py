"""Text: decoding, cleaning, language."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import text

JA = "日本とイギリスは22日、半導体の共同研究について新しい協定に署名した。今後5年で総額100億円を投じる。" * 3
RU = "Япония и Великобритания подписали новое соглашение о совместных исследованиях. " * 3
ZH = "日本和英国二十二日签署了关于半导体联合研究的新协定。今后五年将投入一百亿日元。" * 4
KO = "일본과 영국은 22일 반도체 공동 연구에 관한 새로운 협정에 서명했다. " * 4
FR = "Le Japon et le Royaume-Uni ont signé un nouvel accord, créé l’été dernier à Londres. " * 3
EN = "Japan and the United Kingdom signed a new agreement on the joint research of semiconductors. "


def page(body: str, head: str = "") -> str:
    return f"<html><head>{head}<title>t</title></head><body><p>{body}</p></body></html>"


@pytest.mark.parametrize(
    ("written", "encoding"),
    [
        (JA, "utf-8"), (JA, "utf-8-sig"), (JA, "shift_jis"), (JA, "euc_jp"), (JA, "iso2022_jp"),
        (JA, "utf-16"), (JA, "utf-16-le"), (JA, "utf-16-be"), (RU, "koi8_r"), (RU, "cp1251"),
        (ZH, "gb2312"), (KO, "euc_kr"),
        (FR, "cp1252"),
    ],
)  # fmt: skip
def test_undeclared_bytes_are_read(written: str, encoding: str) -> None:
    decoded, _ = text.decode(page(written).encode(encoding))
    assert decoded == page(written)


@pytest.mark.parametrize(
    ("written", "label", "encoding"),
    [
        (JA, "Shift_JIS", "cp932"), (JA, "x-sjis", "cp932"), (JA, "EUC-JP", "euc_jp"),
        (ZH, "GB2312", "gb18030"), (RU, "KOI8-R", "koi8_r"), (FR, "iso-8859-1", "cp1252"),
        (FR, "windows-1252", "cp1252"),
    ],
)  # fmt: skip
def test_declared_bytes_are_read(written: str, label: str, encoding: str) -> None:
    """By header, by meta in both its forms, and by XML declaration."""
    assert text.decode(written.encode(encoding), f"text/html; charset={label}")[0] == written
    for head in (
        f'<meta charset="{label}">',
        f'<meta http-equiv="Content-Type" content="text/html; charset={label}">',
    ):
        assert text.decode(page(written, head).encode(encoding))[0] == page(written, head)
    xml = f'<?xml version="1.0" encoding="{label}"?><rss>{written}</rss>'
    assert text.decode(xml.encode(encoding))[0] == xml


@pytest.mark.parametrize("label", ["utf-8", "iso-8859-1", "nonsense", "utf-16", "utf-7", "hex", "idna"])
def test_a_wrong_declaration_does_no_harm(label: str) -> None:
    assert text.decode(page(JA).encode("cp932"), f"text/html; charset={label}")[0] == page(JA)
    assert text.decode(page(JA).encode("utf-8"), f"text/html; charset={label}")[0] == page(JA)


def test_a_broken_character_costs_only_itself() -> None:
    body = page(JA).encode("utf-8").replace("署名".encode(), b"\xe7\xbd", 1)
    decoded, encoding = text.decode(body, "text/html; charset=utf-8")
    assert encoding == "utf-8"
    assert "半導体の共同研究" in decoded


def test_a_body_cut_inside_a_character_is_still_utf8() -> None:
    assert text.decode(JA.encode("utf-8")[:-1])[1] == "utf-8"


@given(st.binary(max_size=400), st.sampled_from(["", "text/html; charset=x", "a; charset=euc-jp"]))
def test_any_bytes_decode(body: bytes, content_type: str) -> None:
    decoded, encoding = text.decode(body, content_type)
    assert isinstance(decoded, str)
    assert encoding


@pytest.mark.parametrize(
    ("given_", "line"),
    [
        ("  two\n words\u3000here ", "two words here"),
        ("safe\x1b[31mred\x07", "safe[31mred"),
        ("US\u202eKU\u200b\ufeff\xad", "USKU"),
        ("lone \ud800surrogate", "lone surrogate"),
        ("a\u2028b\x85c", "a b c"),
        ("", ""),
    ],
)
def test_clean_line(given_: str, line: str) -> None:
    assert text.clean_line(given_) == line


def test_a_monstrous_title_is_cut() -> None:
    assert len(text.clean_line("あ" * 2_000_000)) == 1_000


@given(st.text(alphabet=st.characters()))
def test_cleaned_text_can_be_stored_and_shown(s: str) -> None:
    for cleaned in (text.clean_line(s), text.clean_text(s), text.terminal_safe(s), text.plain(s)):
        cleaned.encode("utf-8")
        assert "\x1b" not in cleaned
        assert "\u202e" not in cleaned


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>A &amp; B<br>c</p><script>x()</script><div>d<b>e</b></div>tail", "A & B\nc\nde\ntail"),
        ("AT&amp;T &lt;tag&gt; stays", "AT&T <tag> stays"),
        ("a < b & c", "a < b & c"),
        ("one\n\n  two\t three", "one\ntwo three"),
        ("<ul><li>一<li>二</ul>", "一\n二"),
        ("<p>unclosed <i>tags", "unclosed tags"),
    ],
)
def test_plain(markup: str, expected: str) -> None:
    assert text.plain(markup) == expected


@pytest.mark.parametrize("hostile", ["<", "<a ", "<b>", "&#", '<p a="', "<div>", "<!--", "<![CDATA["])
def test_plain_is_linear(hostile: str) -> None:
    started = time.process_time()
    text.plain(hostile * (1_000_000 // len(hostile)))
    assert time.process_time() - started < 30


@pytest.mark.parametrize(
    ("s", "declared", "expected"),
    [
        (JA, "", "ja"), (JA, "en", "ja"), ("日英首脳会談", "", "ja"), ("日英首脳会談", "zh", "other"),
        ("IBMとRapidusが2ナノ半導体で提携", "", "ja"), (ZH, "", "other"), (KO, "", "other"),
        (RU, "", "other"), (FR, "", "other"), (FR, "en", "other"), (EN * 3, "", "en"), (EN * 3, "ja",
        "en"), (EN, "", "en"),
        ("Rapidus", "", "en"), ("Halbleiter", "de-AT", "other"), ("2026", "", ""), ("", "ja-JP", "ja"),
        ("", "fr", "other"),
    ],
)  # fmt: skip
def test_language(s: str, declared: str, expected: str) -> None:
    assert text.language(s, declared) == expected


def test_terminal_safe_keeps_lines() -> None:
    assert text.terminal_safe("a\tb\r\nc\x9b31m\x1b]0;title\x07") == "a\tb\nc31m]0;title"
