"""Where sentences, paragraphs, title, lead, by-lines and page furniture stand in folded text."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

LONGEST_SENTENCE = 700  # characters; a longer run without a stop (lists, tables, noise) is cut here
LEAD_CHARS = 400  # English; Japanese says as much in half the room
TOP_CHARS = 1600  # what an article is about stands in its first dozen sentences
_ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof sir st gen sen rep gov lt col capt rev hon pres sec jr sr co corp inc "
    "ltd llc plc bros no vol fig figs approx est dept univ vs etc al e.g i.e eg ie a.m p.m "
    "jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun ariz calif "
    "mass mich minn ore penn tenn tex wash wis conn fla ga ill ind md va ph.d d.c n.y ".split()
)
_STOPS = re.compile(r"[。!?.\n]+[\"'」』)\]]*")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_SENTENCE_END = re.compile(r"[.!?。][\"')\]」』]*\s*$")
_AGENCY = (
    r"(?:AP|AFP|Reuters|REUTERS|Kyodo|KYODO|Jiji Press|JIJI|Jiji|PTI|Bloomberg|Xinhua|Yonhap|PRNewswire"
    r"|PR Newswire|"
    r"Business Wire|BUSINESS WIRE|GLOBE NEWSWIRE|Nikkei|ANI|UPI|dpa|DPA|Taiwan News|CNA)"
)
_BYLINE = re.compile(
    # LONDON (Reuters) -  /  TOKYO, Jan. 5 (Jiji Press)--  /  WASHINGTON -
    rf"[ \"]*[A-Z][\w.,'/ ]{{1,45}}?\((?:[\w ]{{1,20}}/)?{_AGENCY}[^)\n]{{0,30}}\)[ ]*(?:-{{1,3}}|:)?"
    r"|[ \"]*[A-Z][A-Z.,'/ ]{2,40}(?:,? [A-Z][a-z]{2,8}\.? \d{1,2}(?:, \d{4})?)?[ ]*(?:-{1,3}|:)(?=[ A-Z])"
    # [ロンドン 5日 ロイター]  /  ロンドン発
    r"|\[[^\]\n]{2,25}(?:ロイター|AFP|共同|時事)\]|[ァ-ヴー一-龥]{2,8}発(?=\n|$)"
)
_BYLINES_IN_BRACKETS = re.compile(
    # 【ロンドン共同】 【ワシントン=山田太郎】  (ロンドン=共同)  (Reuters)
    r"[【(<](?:(?<=【)[^】\n]{2,30}】|[^()<>\n]{0,12}[= ](?:共同|時事|ロイター)[)>]"
    r"|(?:共同|時事|ロイター)[^)\n]{0,6}\)"
    rf"|(?:[\w ,.]{{1,25}}[ =/])?{_AGENCY}[^)\n]{{0,30}}\))"
)
_BYLINE_LINES = 10  # a dateline stands at the top
_FURNITURE = re.compile(
    r"[ ■▼●【\[]*(?:related (?:articles?|stor(?:y|ies)|news|topics|content|posts?|links)"
    r"|read (?:more|next|also)"
    r"|more (?:from|on|stories)|you may also like|recommended(?: for you)?|most (?:read|popular)"
    r"|latest news|also read"
    r"|see also|trending|all comments|関連(?:記事|ニュース|リンク|キーワード)"
    r"|(?:あわせて|合わせて)読みたい|おすすめ(?:記事)?"
    r"|人気記事|アクセスランキング|最新ニュース|こちらもおすすめ|ランキング)\b[^.。\n]{0,40}$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Segments:
    """Sentence and line starts (ascending), the lead's end and the stretches nobody reads as content."""

    sentences: list[int]
    lines: list[int]
    lead_end: int
    top_end: int
    tail: int  # where page furniture begins; the text's length when there is none
    bylines: list[tuple[int, int]]

    def sentence(self, index: int) -> int:
        return bisect_right(self.sentences, index) - 1

    def line(self, index: int) -> int:
        return bisect_right(self.lines, index) - 1


def is_cjk(text: str) -> bool:
    """Whether Japanese script carries the text (a sample of its opening decides)."""
    sample = text[:600]
    if sample.isascii():
        return False
    return len(_CJK.findall(sample)) * 5 > len(sample)


def join_wrapped(text: str) -> str:
    """Folded text with the line breaks of hard-wrapped copy turned into blanks; same length.

    Wire copy and text mail break lines at 60 to 80 columns, in the middle of names.
    """
    if text.count("\n") < 4:
        return text
    lines = text.split("\n")
    full = [line for line in lines if 45 <= len(line) <= 90]
    unstopped = [line for line in full if not _SENTENCE_END.search(line) and not _CJK.search(line)]
    if len(full) * 2 < len(lines) or len(unstopped) * 2 < len(full):
        return text
    return re.sub(r"(?<=[\w,;:'\"&-])\n(?=[\w('\"])", " ", text)


def segment(text: str, title_end: int) -> Segments:
    """Segments of a title (up to `title_end`) and the text below it."""
    sentences = [0, title_end] if title_end else [0]
    lines = list(sentences)
    last, size = title_end, len(text)
    for stop in _STOPS.finditer(text, title_end):
        begin, end = stop.span()
        if "\n" in stop[0]:
            lines.append(end)
        elif text[begin] == "." and (
            (end < size and text[end] not in " \n") or _is_abbreviation(text, begin, end)
        ):
            continue
        _cut_long(sentences, last, end)
        sentences.append(end)
        last = end
    _cut_long(sentences, last, size)
    return Segments(
        sentences,
        lines,
        _lead_end(text, title_end, sentences),
        _top_end(text, title_end),
        _tail(text, title_end),
        _bylines(text, title_end, lines),
    )


def _bylines(text: str, start: int, lines: list[int]) -> list[tuple[int, int]]:
    first = bisect_right(lines, start) - 1
    found = [match for at in lines[first : first + _BYLINE_LINES] if (match := _BYLINE.match(text, at))]
    return sorted(match.span() for match in [*found, *_BYLINES_IN_BRACKETS.finditer(text, start)])


def _cut_long(sentences: list[int], start: int, end: int) -> None:
    while end - start > LONGEST_SENTENCE:
        start += LONGEST_SENTENCE
        sentences.append(start)


def _is_abbreviation(text: str, dot: int, end: int) -> bool:
    begin = max(text.rfind(" ", max(0, dot - 12), dot), text.rfind("\n", max(0, dot - 12), dot)) + 1
    word = text[begin:dot].lstrip("(\"'").lower()
    if not word:
        return False
    if len(word) == 1 and word.isalpha() and word != "i":
        return True
    after = text[end + 1 : end + 2]
    if word in _ABBREVIATIONS:
        return not (
            after.isupper() and word in {"co", "corp", "inc", "ltd", "plc"} and text[end : end + 1] == "\n"
        )
    return after.islower()


def _lead_end(text: str, start: int, sentences: list[int]) -> int:
    """Where the first two real sentences end, or the first 400 characters (200 Japanese), whichever is later.

    Lines without a full stop before them (section labels, credits, navigation) are read as part of the lead
    but not counted: otherwise a page header would push the opening paragraph out of it.
    """
    real = 0
    japanese = is_cjk(text[start : start + 600])
    least = 18 if japanese else 45
    end = start
    for n in range(
        bisect_right(sentences, start) - 1, min(len(sentences), bisect_right(sentences, start) + 30)
    ):
        begin = sentences[n]
        end = sentences[n + 1] if n + 1 < len(sentences) else len(text)
        if end - begin >= least and _SENTENCE_END.search(text[max(begin, end - 6) : end]):
            real += 1
            if real == 2:
                break
    room = LEAD_CHARS // 2 if japanese else LEAD_CHARS
    return min(len(text), max(end if real else 0, start + room), start + 5 * room)


def _top_end(text: str, start: int) -> int:
    return min(len(text), start + (TOP_CHARS // 2 if is_cjk(text[start : start + 600]) else TOP_CHARS))


def _tail(text: str, start: int) -> int:
    """Where furniture begins; the text's length when there is none.

    Furniture is what follows a "related articles" line past the first third, or a run of four or more bare
    headlines at the end of an English page.
    """
    size = len(text) - start
    if size < 300:
        return len(text)
    end = len(text)
    at = text.find("\n", start + size // 3)
    while at >= 0:
        if _FURNITURE.match(
            text, at + 1, min(at + 90, text.find("\n", at + 1) if "\n" in text[at + 1 : at + 90] else at + 90)
        ):
            end = at + 1
            break
        at = text.find("\n", at + 1)
    return end if is_cjk(text[start : start + 600]) else _bare_headlines(text, start, end)


def _bare_headlines(text: str, start: int, end: int) -> int:
    """Where a closing run of lines without a full stop begins, if it is at most two fifths of the text."""
    floor = start + (end - start) * 3 // 5
    at, bare, begin = end, 0, end
    while True:
        line_start = text.rfind("\n", floor, at) + 1
        line = text[line_start:at].strip()
        if (
            not line_start
            or len(line) > 130
            or line[:1] in tuple("-・*•■0123456789(")
            or _SENTENCE_END.search(line)
        ):
            break
        if line:
            bare, begin = bare + 1, line_start
        at = line_start - 1
    return begin if bare >= 4 else end
