"""Text as everything else wants it: decoded, in one line or in paragraphs, and with its language.

Nothing here raises on bad input: wrong bytes and hostile characters come out as harmless text.
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterator

# --- characters ------------------------------------------------------------------------------

# Cc without tab and newline; bidi marks, embeddings, overrides and isolates (they reorder a line and
# so can fake a headline); zero-width characters, soft hyphen, BOM; interlinear annotations; tag
# characters; lone surrogates and non-characters (neither SQLite nor UTF-8 takes the former).
_INVISIBLE = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e0fff\ud800-\udfff"
)
_UNSEEN = re.compile(f"[{_INVISIBLE}]")
_BREAKS = re.compile("\r\n|[\r\n\x0b\x0c\x85\u2028\u2029]")
_BLANKS = re.compile(r"[^\S\n]+")


def clean_line(s: str, *, limit: int = 1_000) -> str:
    """`s` in one line for titles and labels: no controls, no bidi overrides, whitespace folded.

    Longer than `limit` characters it is cut and ends in "…".
    """
    line = " ".join(_UNSEEN.sub("", _BREAKS.sub(" ", s[: limit * 4])).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def clean_text(s: str) -> str:
    """`s` as paragraphs: one to a line, no blank lines, the characters cleaned as in clean_line."""
    text = _BLANKS.sub(" ", _UNSEEN.sub("", _BREAKS.sub("\n", s)))
    return "\n".join(stripped for line in text.split("\n") if (stripped := line.strip()))


def terminal_safe(s: str) -> str:
    """`s` without anything a terminal would obey; newlines and tabs stay."""
    return _UNSEEN.sub("", _BREAKS.sub("\n", s))


# --- markup ----------------------------------------------------------------------------------

_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--|<!\[CDATA\[")
_BLOCK_TAGS = frozenset(
    {
        "address", "article", "aside", "blockquote", "br", "caption", "dd", "div", "dl", "dt", "figcaption",
        "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav",
        "ol", "option", "p", "pre", "section", "table", "td", "th", "tr", "ul",
    }
)  # fmt: skip
_SILENT_TAGS = frozenset(
    {
        "script", "style", "template", "noscript", "head", "title", "iframe", "object", "svg",
    }
)  # fmt: skip


def plain(html_or_text: str) -> str:
    """Markup to text, a line for each block; text without tags only has its entities resolved."""
    if not _TAG.search(html_or_text):
        return clean_text(html.unescape(html_or_text))
    return clean_text("".join(_pieces(html_or_text)))


def _pieces(markup: str) -> Iterator[str]:
    """The text of a fragment with newlines where blocks begin and end, without recursion."""
    from lxml import etree  # here: the command line imports this module and must start fast

    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    try:
        root = etree.fromstring(f"<div>{_UNSEEN.sub('', markup)}</div>".encode(), parser)
    except etree.XMLSyntaxError:
        return
    if root is None:
        return
    silent = 0
    for event, node in etree.iterwalk(root, events=("start", "end")):
        if event == "start":
            silent += node.tag in _SILENT_TAGS
            yield "\n" if node.tag in _BLOCK_TAGS else ""
            yield "" if silent else _fold(node.text)
        else:
            silent -= node.tag in _SILENT_TAGS
            yield "\n" if node.tag in _BLOCK_TAGS else ""
            yield "" if silent else _fold(node.tail)


def _fold(text: str | None) -> str:
    return re.sub(r"\s+", " ", text) if text else ""


# --- language --------------------------------------------------------------------------------

_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa\uff66-\uff9d]")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3005-\u3007]")
_HANGUL = re.compile("[\u1100-\u11ff\uac00-\ud7a3]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
_LETTERS = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[A-Za-z']+")
_ENGLISH = frozenset(
    {
        "the", "of", "and", "to", "in", "a", "is", "for", "on", "that", "with", "as", "by", "at", "from",
        "was",
        "are", "be", "has", "have", "it", "its", "this", "will", "an", "not", "were", "which", "he", "she",
        "they", "his", "her", "who", "would", "said", "we", "you", "or", "but", "been", "had", "their",
        "more",
        "after", "new",
    }
)  # fmt: skip
_SAMPLE = 3_000


def is_japanese(s: str) -> bool:
    """Whether `s` is written in Japanese: by kana; Han characters alone count when there are few."""
    if s.isascii():
        return False
    sample = s[:_SAMPLE]
    kana, han = len(_KANA.findall(sample)), len(_HAN.findall(sample))
    east = kana + han
    if not east or len(_HANGUL.findall(sample)) > east:
        return False
    # A Latin letter weighs a third: English product names do not make a Japanese headline English.
    if east * 3 < len(_LATIN.findall(sample)):
        return False
    return kana * 20 >= east if east > 40 else kana > 0 or han >= 2


def language(s: str, declared: str = "") -> str:
    """ "ja", "en", "other", or "" when `s` has no letters and nothing is declared.

    The script decides; `declared` (a language tag) helps where the script cannot: among languages
    in Latin letters when there are too few words, and for short texts in Han characters alone.
    """
    tag = declared.strip().lower().replace("_", "-").split("-")[0]
    sample = s[:_SAMPLE]
    letters = len(_LETTERS.findall(sample))
    if not letters:
        return {"ja": "ja", "en": "en", "": ""}.get(tag, "other")
    if is_japanese(sample):
        return "other" if tag in {"zh", "yue"} and not _KANA.search(sample) else "ja"
    if len(_LATIN.findall(sample)) * 2 < letters:
        return "other"
    return "en" if _is_english(sample, tag) else "other"


def _is_english(sample: str, tag: str) -> bool:
    words = [word.lower() for word in _WORD.findall(sample)]
    common = sum(word in _ENGLISH for word in words)
    if len(words) >= 30:  # running English has 25-45 % of these words, other languages under 8 %
        return common * 7 >= len(words)
    if tag:
        return tag == "en" or (tag == "ja" and sample.isascii())
    return common > 0 or sample.isascii()


# --- encodings -------------------------------------------------------------------------------

# What a label means in practice (WHATWG Encoding Standard, §4.2): the superset that browsers use.
_LABELS = {
    "ascii": "cp1252", "us-ascii": "cp1252", "iso-8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252",
    "iso8859-1": "cp1252", "x-cp1252": "cp1252", "iso-8859-9": "cp1254", "tis-620": "cp874",
    "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "ms_kanji": "cp932",
    "windows-31j": "cp932", "ms932": "cp932", "csshiftjis": "cp932", "euc-jp": "euc_jp", "x-euc-jp": "euc_jp",
    "eucjp": "euc_jp", "iso-2022-jp": "iso2022_jp_ext", "csiso2022jp": "iso2022_jp_ext",
    "gb2312": "gb18030", "gbk": "gb18030", "gb_2312-80": "gb18030", "x-gbk": "gb18030", "big5": "big5hkscs",
    "euc-kr": "cp949", "ks_c_5601-1987": "cp949", "utf8": "utf-8",
    "x-mac-roman": "mac_roman", "macintosh": "mac_roman",
}  # fmt: skip
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip
_UNSAFE_CODECS = frozenset({"utf-7", "unicode_escape", "idna", "punycode", "raw_unicode_escape"})
_HEADER_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]+)", re.I)
_XML_CHARSET = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]+)", re.I)
_META_CHARSET = re.compile(rb"<meta\b[^>]{0,500}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.I)
_ISO_2022_JP = re.compile(rb"\x1b(?:\$[@B]|\$\(D|\([JI])")
_DECLARED_WITHIN = 16_384
_NON_ASCII_RUN = re.compile(rb"(?:[\x80-\xff][\x20-\x7e]{0,2})+")
_GUESS_BYTES = 24_000


def decode(body: bytes, content_type: str = "") -> tuple[str, str]:
    """Bytes to text: (text, name of the encoding used). Undecodable bytes become U+FFFD.

    In this order: BOM; ISO-2022-JP by its escapes and UTF-16 by its zeros (both look like something
    else to a decoder); valid UTF-8; what header, XML declaration or meta say, when the bytes agree;
    detection. Valid UTF-8 goes before declarations because those are wrong more often than text in
    another encoding happens to be valid UTF-8.
    """
    for bom, encoding in _BOMS:
        if body.startswith(bom):
            return body[len(bom) :].decode(encoding, "replace"), encoding
    if encoding := _unmarked_wide(body[:4096]):
        return body.decode(encoding, "replace"), encoding
    if _ISO_2022_JP.search(body[:200_000]) and body.isascii():
        return body.decode("iso2022_jp_ext", "replace"), "iso-2022-jp"
    if (text := _strictly(body, "utf-8")) is not None:
        return text, "utf-8"
    return _decode_legacy(body, content_type)


def _decode_legacy(body: bytes, content_type: str) -> tuple[str, str]:
    """Bytes that are no valid UTF-8."""
    declared = list(dict.fromkeys(_declared(body, content_type)))
    if "utf-8" in declared and _nearly_utf8(body):
        return body.decode("utf-8", "replace"), "utf-8"
    for encoding in declared:
        if encoding != "utf-8" and (text := _strictly(body, encoding)) is not None and _plausible(text):
            return text, encoding
    encoding = _detect(body) or next((e for e in declared if e != "utf-8"), "cp1252")
    return body.decode(encoding, "replace"), encoding


def _declared(body: bytes, content_type: str) -> Iterator[str]:
    """The encodings named by header, XML declaration and meta, as Python codecs."""
    head = body[:_DECLARED_WITHIN]
    named = [match[1] for match in [_HEADER_CHARSET.search(content_type)] if match]
    named += [match[1].decode("ascii") for match in [_XML_CHARSET.search(head)] if match]
    named += [match.decode("ascii") for match in _META_CHARSET.findall(head)]
    for label in named:
        label = label.lower()
        try:
            codec = codecs.lookup(_LABELS.get(label, label))
        except (LookupError, ValueError):
            continue
        # Wide encodings were told by BOM or zeros; a page that only says so is not one.
        if codec._is_text_encoding and codec.name not in _UNSAFE_CODECS and codec.name[:5] != "utf-1":
            yield codec.name


def _strictly(body: bytes, encoding: str) -> str | None:
    """`body` decoded without a fault, but for a character cut off at the end; else None."""
    try:
        return codecs.getincrementaldecoder(encoding)("strict").decode(body, final=False)
    except UnicodeDecodeError:
        return None


def _nearly_utf8(body: bytes) -> bool:
    """UTF-8 with a few broken characters: at most one in fifty beyond ASCII."""
    text = body[:500_000].decode("utf-8", "replace")
    return text.count("\ufffd") * 50 <= sum(1 for char in text if char > "\x7f")


def _plausible(text: str) -> bool:
    """Not the half-width katakana or C1 controls that a wrong decoder makes of other bytes."""
    beyond = [char for char in text[:200_000] if char > "\x7f"]
    odd = sum("\uff61" <= char <= "\uff9f" or "\x80" <= char <= "\x9f" for char in beyond)
    return odd * 3 <= len(beyond)


def _unmarked_wide(head: bytes) -> str:
    """utf-16-le or utf-16-be when the zeros (or the kana's high bytes) sit on one side; else ""."""
    if len(head) < 8:
        return ""
    even, odd = head[0::2], head[1::2]
    for byte in (b"\x00", b"\x30"):
        here, there = odd.count(byte), even.count(byte)
        if byte == b"\x30" and head.count(b"\x00") == 0:
            break  # no zero at all: ordinary digits in a narrow encoding
        if here > len(odd) * 0.3 and there * 8 < here:
            return "utf-16-le"
        if there > len(even) * 0.3 and here * 8 < there:
            return "utf-16-be"
    return ""


def _detect(body: bytes) -> str:
    """The likeliest legacy encoding of the bytes beyond ASCII, "" when there is no telling."""
    sample = b" ".join(_NON_ASCII_RUN.findall(body[:2_000_000]))[:_GUESS_BYTES]
    best = max(("cp932", "euc_jp"), key=lambda encoding: _kana_share(sample, encoding))
    if _kana_share(sample, best) > 0.08:
        return best
    from charset_normalizer import from_bytes  # here: 40 ms, and hardly ever needed

    found = from_bytes(sample, cp_isolation=_GUESSED, steps=5, chunk_size=512).best()
    return found.encoding if found else ""


_GUESSED = [
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "koi8_r", "cp932",
    "euc_jp", "gb18030", "big5", "cp949",
]  # fmt: skip


def _kana_share(sample: bytes, encoding: str) -> float:
    """Share of full-width kana among the characters beyond ASCII; faults count against it."""
    beyond = [char for char in sample.decode(encoding, "replace") if char > "\x7f"]
    kana = sum("\u3041" <= char <= "\u30fe" for char in beyond)
    wrong = sum(char == "\ufffd" or "\uff61" <= char <= "\uff9f" for char in beyond)
    return (kana - 3 * wrong) / len(beyond) if beyond else 0.0
