"""The words by which a page's furniture is known: labels, prompts, credits, notices, names of boxes.

English and Japanese first, because those are read; the commonest words of other languages because
they cost nothing. Each pattern is about a line, a heading or a name by itself: what to do with it,
and with what stands around it, is decided in boilerplate.py and layout.py.

In the lists below a blank stands for any white space.
"""

# ruff: noqa: E501 - a pattern is easier to read on one long line than in two halves

from __future__ import annotations

import functools
import re
from itertools import pairwise


def _any(*alternatives: str) -> str:
    return "(?:" + "|".join(alternatives).replace(" ", r"\s+") + ")"


def _pattern(start: str, alternatives: tuple[str, ...], end: str = "") -> re.Pattern[str]:
    return re.compile(start + _any(*alternatives) + end, re.I)


_BULLETS = r"^[\s■□◆◇▼▽▶►➤➡→●○・#＃>＞»*※★☆｜|【\[［「『〈《≪<(（-]*"
_LABEL_END = r"[\s】\]］」』〉》≫:：.…>＞»→▼▽（(0-9)）]*$"

# --- headings over lists of other articles, rankings, tags, biographies: the whole of a short line ---

_ADJECTIVES = (
    "related", "similar", "recommended", "suggested", "popular", "trending", "featured", "latest", "recent",
    "top",
    "sponsored", "partner",
)  # fmt: skip
_NOUNS = (
    "articles?", "stor(?:y|ies)", "news", "posts?", "contents?", "topics?", "reading", "reads?", "links?",
    "coverage",
    "headlines?", "videos?", "tags?", "categories", "searches", "items?", "stocks?", "quotes", "tickers",
    "documents?",
    "pages?", "publications?", "releases?", "for you", "now", "this week", "today",
)  # fmt: skip
_ENGLISH_LABELS = (
    f"(?:more )?{_any(*_ADJECTIVES)}(?: {_any(*_NOUNS)})*",
    "you (?:may|might) (?:also )?(?:like|enjoy|be interested).*",
    r"more (?:.{0,20} )?(?:from|on|in|about|like|stories|news|by|to explore|reading|must-?reads)\b.{0,60}",
    r"most (?:read|popular|viewed|shared|commented|recent|watched)\b.{0,30}",
    "(?:read|see|watch|learn) (?:more|next|also|this next)", r"also (?:read|on|in)\b.{0,40}",
    r"recommended (?:for you|by|from)\b.{0,40}", "editor'?s'? (?:picks?|choice)", "what to read next",
    "up next",
    "(?:next|previous) (?:up|article|story|post)", "further reading", "explore (?:further|more)",
    "don'?t miss",
    "in case you missed it", "keep reading", "from (?:the|our) (?:web|archives?|partners?)",
    r"share(?: (?:this|on|via|the)\b.{0,40})?", "tags?", "topics?", "filed under", "categories", "keywords",
    r"follow (?:us|me|.{0,30}on)\b.{0,50}", "about the authors?",
    "(?:leave a )?(?:comments?|reply|responses?)",
    r"\d+ comments?", "join the (?:conversation|discussion)", "newsletters?(?: sign-?\\s?up)?",
    "sign up.{0,40}",
    "subscribe.{0,40}", "advertisement", "sponsored(?: content)?", "promoted(?: stories)?", "breaking news",
    "our standards:?.{0,60}",
)  # fmt: skip
_JAPANESE_LABELS = (
    "関連(?:する)?(?:記事|ニュース|リンク|情報|トピックス?|キーワード|ワード|タグ|コンテンツ|動画|特集|項目|ページ|サイト|商品"
    "|銘柄|プレスリリース|資料|テーマ|書籍)?(?:一覧|はこちら)?",
    "こちらも(?:おすすめ|オススメ)", "(?:あわ|併|合わ)せて(?:読み|読|よみ)(?:たい|む).{0,10}",
    "この記事(?:を読んだ|に).{0,20}",
    "(?:おすすめ|オススメ|お勧め|お薦め)(?:の?(?:記事|情報|ニュース|コンテンツ|動画|特集|サイト|商品|リンク|ワード|トピックス))?(?:一覧)?",
    "(?:記事)?(?:アクセス|人気|注目|閲覧|総合|週間|月間|デイリー|いいね)*の?(?:記事)?(?:ランキング|急上昇).{0,12}",
    "(?:よく|いま|今)(?:読まれて|話題|注目).{0,14}",
    "(?:最新|新着|注目|人気|話題|主要|主な|ほかの|他の|その他の?|前後の|同じ.{0,8}の|.{0,8}の他の|トップ|ピックアップ)の?"
    "(?:記事|ニュース|情報|ワード|トピックス?|キーワード|特集|動画|コンテンツ|一覧|テーマ|タグ)(?:一覧)?",
    "ピックアップ", "PICK\\s*UP", "トピックス?", "特集", "連載", "キーワード", "タグ", "カテゴリー?",
    "(?:この)?(?:記事|ニュース)を?(?:シェア|共有|保存|印刷).{0,12}", "シェア(?:する|して.{0,12})?",
    "ツイート", "ポスト",
    "ブックマーク.{0,10}", "印刷", "コピー",
    "(?:カテゴリー|著者|タグ|テーマ|記者|トピック).{0,8}フォロー.{0,6}",
    "(?:この)?(?:記者|筆者|著者|執筆者|ライター)(?:について|の(?:他の)?記事|プロフィール|紹介)?.{0,8}",
    "プロフィール",
    "コメント.{0,8}", "(?:次|前)の記事.{0,30}", "次(?:へ|ページ)", "前へ",
    "(?:記事)?一覧(?:へ|を見る|に戻る)?",
    "もっと(?:見る|読む)", "続きを(?:読む|見る)", "詳しくは(?:こちら|[^。]{0,12})", "ホームに戻る",
    "トップ(?:へ|に戻る)",
    "ページ(?:の先頭|トップ)へ.{0,4}", "メルマガ.{0,16}", "広告", "PR", "スポンサー.{0,8}", "お知らせ",
)  # fmt: skip
_OTHER_LABELS = (
    r"(?:mehr|weitere) (?:zum thema|artikel|nachrichten|aus|themen|meldungen)\b.{0,50}", "lesen sie .{0,40}",
    r"(?:das könnte|auch) (?:sie|dich|interessant)\b.{0,30}", "themen", "schlagw[oö]rte[r]?", "empfehlungen",
    "anzeige", "zur startseite", "meistgelesen.{0,20}", "kommentare?", "(?:à|a) lire (?:aussi|également)",
    "lire aussi", "sur le même (?:sujet|thème)", "commentaires?", "(?:lee|leer|lea) (?:también|más)",
    "noticias relacionadas", "te puede interesar", "comentarios?", "comentar", "leia (?:também|mais)",
    "leggi anche", "les også", "läs (?:också|även|mer)", "læs også", "czytaj (?:też|także)", "читайте также",
    "相关(?:新闻|阅读|文章)", "推荐阅读", r"관련\s*(?:기사|뉴스)",
)  # fmt: skip
LABEL = _pattern(_BULLETS, (*_ENGLISH_LABELS, *_JAPANESE_LABELS, *_OTHER_LABELS), _LABEL_END)

# Readers' comments follow.
COMMENTS = re.compile(
    r"^\W*\d*\s*(?:comments?|コメント|comentarios?|comentar|kommentare|commentaires)\s*[（(:：]?\d*[)）]?\W*$",
    re.I,
)

# --- lines that are furniture by how they begin, whatever follows on them ---------------------------

_POINTERS = (
    r"(?:read|see|watch|listen)(?: (?:more|also|next|this|now))+\s*(?::|：|\||-|–|—|>|→|about\b|on\b.{0,60}$)",
    "(?:related|also read|read also|more on this|recommended|don'?t miss|see also|watch|must read|read next|next read)"
    r"\s*(?:stor(?:y|ies)|articles?|posts?|reading|news|coverage|video|links?|content)?\s*(?::|：|\||–|—|-\s|>|»|→)",
    r"(?:click|tap) (?:here|the (?:link|button))\b", r"exit mobile version", r"skip (?:to|advertisement)\b",
    r"(?:story|article) continues (?:below|after)", r"continue reading\b", r"advertisement\b.{0,40}$",
    "scroll (?:down|to) .{0,30}$", r"loading\b.{0,20}$", r"share (?:this|on|via|with)\b.{0,80}$",
    r"(?:view|show|hide|load) (?:all )?(?:\d+ )?(?:comments?|more\b|gallery|slideshow|image|transcript).{0,40}$",
    r"what do you think\?.{0,80}comment", "(?:let us know|tell us) .{0,60}comments?",
    r"(?:have|got) (?:a|any) (?:tip|story|news tip|question|confidential)\b.{0,100}$", r"table of contents$",
)  # fmt: skip
_OFFERS = (
    r"(?:please )?(?:sign up|subscribe|register|log\s?in|sign in) (?:here|now|today|for|to|with|or|and)\b.{0,160}$",
    r"(?:follow|like|join|find) (?:us|me|the [\w\s]{2,40}?|@?\w+) on "
    r"(?:twitter|facebook|instagram|x\b|linkedin|telegram|google|whatsapp|youtube|threads|tiktok)",
    r"(?:get|receive) (?:the |our |all )?(?:latest|breaking|top|best|daily|free|weekly|full access|unlimited)\b"
    ".{0,140}(?:inbox|newsletter|e-?mail|app|subscription|subscribe|alerts?)",
    r"(?:download|get) (?:the|our) .{0,40}\bapp\b", "subscribe to .{0,100}$",
    "support (?:our|independent) journalism.{0,120}$",
    "(?:this|the) (?:article|content|story|page) is (?:for|available to|only available|reserved for|exclusive to)"
    " .{0,30}(?:subscribers?|members?)",
    "already (?:a |have an? )?(?:subscriber|member|account|subscribed|registered)",
    "(?:to|please) (?:continue reading|read the (?:full|rest|whole|complete)).{0,120}$",
    "you (?:have|'ve) (?:reached|read|used).{0,40}(?:free|limit)",
    r"(?:if you|when you) (?:buy|purchase|click)\b.{0,80}(?:links?|post|stor(?:y|ies)).{0,40}(?:commission|share of)",
)  # fmt: skip
_NOTICES = (
    r"we use cookies\b", "this (?:web)?site uses cookies", "(?:accept|manage|reject) (?:all )?cookies",
    r"by (?:continuing|clicking|using|signing|submitting|subscribing|providing)\b.{0,200}(?:cookies?|terms|privacy|agree)",
    "cookie (?:policy|settings|preferences)", "please enable (?:javascript|cookies)",
    "(?:your )?browser (?:does not|doesn'?t|is not) support", "javascript (?:is|must|appears)",
    r"©|\(c\)\s*(?:19|20)\d\d|copyright\b.{0,6}(?:©|\(c\)|(?:19|20)\d\d)|all rights reserved",
    r"reproduction (?:of|in whole|without)\b",
    "(?:this material|no part of this).{0,40}(?:may not|published|reproduced)",
    "our standards:|the thomson reuters trust",
)  # fmt: skip
_CREDITS = (
    r"photo(?:graph)?s?\s*(?:credit|courtesy|by)?\s*[:：/]",
    r"(?:image|picture|photo|illustration|video|graphic)s?\s*(?:(?:credit|source|courtesy(?: of)?|caption|by)s?\s*[:：/]?\s|[:：])",
    r"(?:featured|cover|file|stock|header|lead) (?:image|photo|picture)\b.{0,60}$",
    r"\((?:image|photo|picture|credit|source)s?\s*(?:credit|by|courtesy)?\s*[:：]", r"credit\s*[:：]",
    r"(?:写真|画像|撮影|提供|イラスト|図版|クレジット|資料写真|イメージ)\s*[:：＝=／/]",
    "[（(［\\[]?(?:写真|画像|提供|撮影|イメージ)[^）)］\\]。]{0,40}[）)］\\]]$",
)  # fmt: skip
_JAPANESE_POINTERS = (
    r"(?:関連(?:記事|リンク|ニュース|動画|写真|情報)?|(?:あわ|合わ|併)せて読みたい|こちらもおすすめ|おすすめ記事|参考(?:記事|リンク)"
    "|[次前]の記事|PR|広告|写真(?:特集|一覧|まとめ|ギャラリー)?|動画|図解|画像(?:一覧)?|ランキング|もっと読む|詳細|元記事|ニュース一覧)"
    r"\s*(?:】|\]|］|〉|≫|>|:|：|＝|=|▶|→|はこちら)",
    "(?:この|本)(?:ニュース|記事|ページ)を(?:シェア|共有|ツイート|保存|印刷|英語で|友達)",
    "(?:保存した|ブックマーク).{0,30}(?:記事|ます|ご覧)", ".{0,12}をフォロー(?:する|して|しよう)",
    ".{0,12}公式(?:X|Twitter|LINE|Facebook|アカウント)",
    "(?:LINE|X|Twitter|Facebook|ツイッター|フェイスブック|はてな)[でに](?:シェア|共有|送る|投稿)",
    "友だち追加",
    "(?:クリック|タップ|スクロール)(?:すると|して)(?:拡大|続き|お読み|表示)",
    "(?:画像|写真|図表?)[をは](?:クリック|タップ|拡大|見る)",
    "拡大(?:する|写真|画像)", "写真を見る", "印刷する", "お問い合わせ(?:は|先は)こちら",
    r".{0,24}[をで](?:英語で読む|読む\s*▶|もっと見る)$",
    "(?:本文|メイン|コンテンツ|メニュー)(?:へ|に)(?:移動|スキップ|ジャンプ)", "\\w{0,12}保存$",
    "訂正・おわび$", "アカウント一覧$",
)  # fmt: skip
_JAPANESE_OFFERS = (
    "(?:この|本)(?:記事|コンテンツ|ページ|続き|サイト)は.{0,16}(?:会員|有料|限定|購読|ログイン|登録|Cookie|クッキー)",
    "(?:有料|無料|プレミアム|電子版|デジタル)?会員(?:限定|登録|の方|になると|なら)",
    "有料(?:記事|会員|プラン)",
    "ログイン(?:して|する|は|$)", "新規(?:会員)?登録", "ご利用には.{0,12}(?:登録|ログイン|必要)",
    "(?:続きを|全文を|残り).{0,24}(?:読む|お読み|文字|ご覧|登録|会員)",
    r"(?:残り|全文)[:：]?\s*[\d,]+\s*文字",
    "(?:月額|初月|初回|年額|いまなら|今なら).{0,40}円",
    "(?:紙の新聞|定期購読|購読者).{0,40}(?:無料|登録|会員|方)",
    ".{0,16}(?:読み放題|キャンペーン実施中|無料トライアル|無料体験)", "無料・有料プラン", "企業での記事共有",
    "(?:メールマガジン|メルマガ|ニュースレター).{0,40}(?:登録|配信|お届け|購読)",
)  # fmt: skip
_JAPANESE_NOTICES = (
    "(?:無断|本サイト|当サイト|掲載の).{0,24}(?:転載|複製|禁じ|禁止|使用)",
    "(?:記事・?写真|掲載記事).{0,30}(?:禁|著作権)",
    ".{0,10}(?:著作権|無断転載)", "当サイトでは.{0,30}(?:Cookie|クッキー)",
    "(?:Cookie|クッキー)(?:の使用|を使用|ポリシー|設定)",
    "JavaScript[をが].{0,14}(?:有効|無効|オン)", "完了しました", "お使いのブラウザ", "読み込み中",
    "ご覧いただけません",
)  # fmt: skip
_OTHER_INSERTIONS = (
    r"(?:lesen sie (?:auch|hierzu|dazu|mehr)|weitere informationen.{0,60}:$|mehr (?:zum thema|dazu|lesen)|auch interessant"
    r"|siehe auch|anzeige|foto|bild)\s*(?::|：|\||–|-\s|$)",
    r"lesen sie auch\b", r"weitere informationen.{0,60}:$", r"cr[ée]dits? photos?\b",
    r"(?:à lire|lire) (?:aussi|également)\b",
    r"(?:lee|leer|lea) (?:también|tambien)\b", r"(?:leia|veja) (?:também|mais)\b", r"leggi anche\b",
    r"les også\b",
    r"läs (?:också|även|mer)\b", r"læs også\b", "читайте также", "czytaj (?:też|także|również)",
)  # fmt: skip
INSERTION = _pattern(
    _BULLETS,
    (
        *_POINTERS, *_OFFERS, *_NOTICES, *_CREDITS, *_JAPANESE_POINTERS, *_JAPANESE_OFFERS, *_JAPANESE_NOTICES,
        *_OTHER_INSERTIONS,
    ),
)  # fmt: skip

# --- marks of a page that gives the beginning only ---------------------------------------------------

PAYWALL = _pattern(
    "",
    (
        r"(?:subscribe|sign\s?in|log\s?in|register) (?:now )?to (?:continue|read|keep|unlock|access|view)",
        r"(?:continue|keep) reading\b.{0,60}(?:subscri|account|sign|log|register|free|trial)",
        r"this (?:article|content|story|post) is (?:for|available (?:only )?to|only for|exclusive(?:ly)? (?:to|for)|reserved for)"
        r" (?:\w+ ){0,3}(?:subscribers?|members?)",
        r"(?:subscriber|member)s?[-\s]only", "already a (?:subscriber|member)",
        r"unlock (?:this|the|full)\b.{0,30}(?:article|story|access)",
        r"to read the (?:full|rest|complete|whole)\b",
        "you(?:'ve| have) (?:reached|used).{0,40}(?:free|limit)",
        "会員限定(?:の?(?:有料)?記事(?!も)|です|コンテンツ(?!も))", "有料会員(?:限定|に登録)(?!.{0,8}記事も)",
        "この記事は(?:有料|会員限定)",
        "(?:続き|全文|残り).{0,20}(?:お読み|読むには|ご覧|会員|登録|ログイン)",
        r"残り[:：]?\s*[\d,]+\s*文字", "登録すると続き",
        "有料記事です", "購読(?:すると|者限定)", "プレミアム会員", "ログインして続き", "この続きは",
    ),
)  # fmt: skip

# --- lines above and below a text ----------------------------------------------------------------------

_ENGLISH_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mär|mai|okt|dez)[a-z]*"
BYLINE = _pattern(
    "^",
    (
        r"(?:(?:written|reported|posted|published|edited|reporting|compiled|updated|modified) )?(?:by|in)\b\s*:?\s*(?!the\b)"
        r"[\w.'’\- ,&|/]{3,80}$",
        r"(?:published|updated|posted|last (?:updated|modified)|first published|modified|created)\b.{0,80}$",
        r"(?:\d+|one|two|three|five)\s*[-\s]?min(?:ute)?s?\.?\s*(?:read|to read).{0,20}$",
        "(?:by )?staff(?: (?:writer|reporter)s?)?$",
        "(?:文|取材|執筆|構成|聞き手|編集|記者|翻訳|著者?|筆者)\\s*[:：＝=／/・].{1,40}$",
        ".{1,14}(?:記者|通信員|特派員|編集委員|編集部|論説委員|支局長)$",
        "(?:公開|更新|掲載|投稿|配信|発行|最終更新)日?時?\\s*[:：]?.{0,40}$",
        r".{0,40}\d{1,2}:\d{2}\s*(?:配信|更新|公開|掲載)$",
    ),
)  # fmt: skip
DATE_LINE = _pattern(
    r"^\W*(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s*)?(?:\d{1,2}:\d{2}\s*(?:[ap]\.?m\.?)?\s*(?:[A-Z]{2,4})?,?\s*)?",
    (
        rf"{_ENGLISH_MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}",
        rf"\d{{1,2}}(?:st|nd|rd|th)?\.? {_ENGLISH_MONTH}\.?,? \d{{4}}",
        r"(?:\d{4}|(?:令和|平成)\s*(?:元|\d{1,2}))\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}\s*日?", r"\d{1,2}[./]\d{1,2}[./]\d{2,4}",
        r"\d{1,2}月\d{1,2}日",
    ),
    r"[^。]{0,50}$",
)  # fmt: skip
# Below a text: who wrote and edited it, whom to ask, where it is from.
SIGN_OFF = _pattern(
    r"^\W*",
    (
        r"(?:additional )?(?:reporting|editing|writing|compiled|translation|translated|edited) (?:and \w+ )?by\b.{0,160}$",
        r"(?:associated press|ap|reuters|afp|bloomberg|staff) (?:\w+ ){0,2}(?:writers?|reporters?|correspondents?)\b"
        ".{0,200}(?:contributed|reported|report).{0,60}$",
        r"[\w.'’-]+(?: [\w.'’-]+){0,3} (?:is|was|are) (?:an?|the|our|[\w.]+'s) (?:[\w'’,-]+ ){0,6}"
        r"(?:reporter|correspondent|editor|writer|journalist|columnist|contributor|freelancer|producer|curator)s?\b.{0,300}$",
        r".{3,80} (?:contributed (?:to this|reporting)|reported from)\b.{0,120}$",
        r"(?:media|press) (?:contacts?|enquir(?:y|ies)|inquiries)\b.{0,200}$",
        r"(?:tel|phone|fax|e-?mail|telefon|電話|ＴＥＬ|ＦＡＸ|メール)\s*(?:番号)?\s*[:：./].{0,80}$",
        r"(?:quelle|source|sources|fonte|fuente|出典|出所|情報提供|配信元)\s*[:：].{0,80}$",
        r"\#\w+(?: \#\w+)*$",
        "※.{0,60}(?:掲載|現在|転載|使用|当時).{0,40}$",
    ),
)  # fmt: skip

# --- names (class and id) of elements that hold furniture ------------------------------------------------

_NAME_STARTS = (
    "related", "recommend", "ranking", "popular", "trending", "mostread", "readmore", "readnext", "pickup",
    "osusume",
    "kanren", "topicpath", "pankuzu", "breadcrumb", "pagetop", "newsletter", "mailmagazine", "paywall",
    "regwall",
    "taglist", "authorbio", "authorinfo", "authorbox", "taboola", "outbrain", "popin", "logly", "addtoany",
    "sharedaddy", "signup", "cookie", "advert", "sponsor", "relatedposts", "sharebutton", "snsbutton",
    "caption",
    "figcaption",
)  # fmt: skip
_NAME_WORDS = frozenset(
    {
        "sns", "share", "sharing", "sharer", "social", "toolbar", "tags", "keywords", "pager", "pagination",
        "toc",
        "bio", "profile", "subscribe", "subscription", "login", "register", "piano", "promo", "promotion",
        "cta",
        "ad", "ads", "banner", "consent", "gdpr", "disclaimer", "copyright", "credit", "credits", "comments",
        "reactions", "rating", "survey", "poll", "modal", "popup", "overlay", "bookmark", "clip", "favorite",
        "mypage", "follow",
    }
)  # fmt: skip
_NAME_PAIRS = frozenset(
    {
        ("most", "read"), ("read", "more"), ("read", "next"), ("also", "read"), ("see", "also"), ("more",
        "stories"),
        ("more", "news"), ("more", "from"), ("you", "may"), ("next", "article"), ("next", "post"), ("next",
        "story"),
        ("prev", "article"), ("pick", "up"), ("mail", "magazine"), ("tag", "list"), ("author", "bio"),
        ("author", "box"), ("author", "info"), ("about", "author"), ("photo", "credit"), ("instagram",
        "media"),
        ("tiktok", "embed"), ("sign", "up"), ("page", "top"),
    }
)  # fmt: skip
_NAME_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")


def names_furniture(name: str) -> bool:
    """Whether a class or id says that an element is furniture."""
    words = [word.lower() for word in _NAME_WORD.findall(name)]
    return (
        not _NAME_WORDS.isdisjoint(words)
        or any(map(_starts_like_furniture, words))
        or not _NAME_PAIRS.isdisjoint(pairwise(words))
    )


@functools.lru_cache(maxsize=4_096)  # the names of a site are made of a few hundred words
def _starts_like_furniture(word: str) -> bool:
    return word.startswith(_NAME_STARTS)
