"""The words by which a page's furniture is known: labels, prompts, credits, notices.

English and Japanese first, because those are read; the commonest words of other languages because
they cost nothing. Every pattern here is about a line or a heading by itself: what to do
with it, and with what stands around it, is boilerplate.py's decision.
"""

from __future__ import annotations

import re

# Headings over lists of other articles, rankings, tags, bios: the whole of a short line.
LABEL = re.compile(
    r"""^[\s■□◆◇▼▽▶►●○・#＃>＞【\[「『〈《|｜※★☆]*(?:
    (?:more\s+)?(?:related|similar|recommended|suggested|popular|trending|featured|latest|recent|top|sponsored|partner)
      (?:\s+(?:articles?|stor(?:y|ies)|news|posts?|content|topics?|reading|reads?|links?|coverage|headlines?|videos?|tags?
      |categories|searches|items?|stocks?|quotes|tickers|documents?|pages?|publications?|releases?|for\s+you|now|this\s+week|today))*
    |(?:you\s+(?:may|might)\s+(?:also\s+)?(?:like|enjoy|be\s+interested).*)|(?:more\s+(?:from|on|in|about|like|stories|news|by|to\s+explore|reading)\b.{0,60})
    |(?:most\s+(?:read|popular|viewed|shared|commented|recent|watched)\b.{0,30})|(?:read|see|watch|learn)\s+(?:more|next|also|this\s+next)|also\s+(?:read|on|in)\b.{0,40}
    |recommended\s+(?:for\s+you|by|from)\b.{0,40}|editor'?s'?\s+(?:picks?|choice)|what\s+to\s+read\s+next|up\s+next|next\s+(?:up|article|story|post)|previous\s+(?:article|story|post)
    |further\s+reading|explore\s+(?:further|more)|don'?t\s+miss|in\s+case\s+you\s+missed\s+it|read\s+next|keep\s+reading|from\s+(?:the|our)\s+(?:web|archives?|partners?)
    |share(?:\s+(?:this|on|via|the)\b.{0,40})?|tags?|topics?|filed\s+under|categories|keywords|follow\s+(?:us|me|.{0,30}on)\b.{0,50}
    |about\s+the\s+authors?|(?:leave\s+a\s+)?(?:comments?|reply|responses?)|\d*\s*comments?|join\s+the\s+(?:conversation|discussion)
    |newsletters?(?:\s+sign-?\s?up)?|sign\s+up.{0,40}|subscribe.{0,40}|advertisement|sponsored(?:\s+content)?|promoted(?:\s+stories)?|breaking\s+news|our\s+standards:?.{0,60}
    |関連(?:する)?(?:記事|ニュース|リンク|情報|トピックス?|キーワード|ワード|タグ|コンテンツ|動画|特集|項目|ページ|サイト|商品|銘柄|プレスリリース|資料|テーマ|書籍)?(?:一覧|はこちら)?
    |こちらも(?:おすすめ|オススメ)|(?:あわ|併|合わ)せて(?:読み|読|よみ)(?:たい|む).{0,10}|(?:この記事を読んだ|この記事に).{0,20}
    |(?:おすすめ|オススメ|お勧め|お薦め)(?:の?(?:記事|情報|ニュース|コンテンツ|動画|特集|サイト|商品|リンク|ワード|トピックス))?(?:一覧)?
    |(?:記事)?(?:アクセス|人気|注目|閲覧|総合|週間|月間|デイリー|いいね)*(?:の)?(?:記事)?(?:ランキング|急上昇).{0,12}|(?:よく|いま|今)(?:読まれて|話題|注目).{0,14}
    |(?:最新|新着|注目|人気|話題|主要|主な|ほかの|他の|その他の?|前後の|同じ.{0,8}の|.{0,8}の他の|トップ|ピックアップ)(?:の)?(?:記事|ニュース|情報|ワード|トピックス?|キーワード|特集|動画|コンテンツ|一覧|テーマ|タグ)(?:一覧)?
    |ピックアップ|PICK\s*UP|トピックス?|特集|連載|ランキング|キーワード|タグ|カテゴリー?|(?:この)?(?:記事|ニュース)を?(?:シェア|共有|保存|印刷).{0,12}|シェア(?:する|して.{0,12})?|ツイート|ポスト|ブックマーク.{0,10}|印刷|コピー
    |(?:カテゴリー|著者|タグ|テーマ|記者|トピック).{0,8}フォロー.{0,6}|(?:この)?(?:記者|筆者|著者|執筆者|ライター)(?:について|の(?:他の)?記事|プロフィール|紹介)?.{0,8}|プロフィール|コメント.{0,8}|次の記事.{0,30}|前の記事.{0,30}|次(?:へ|ページ)|前へ|(?:記事)?一覧(?:へ|を見る|に戻る)?|もっと(?:見る|読む)|続きを(?:読む|見る)|詳しくは(?:こちら|[^。]{0,12})|ホームに戻る|トップ(?:へ|に戻る)|ページ(?:の先頭|トップ)へ.{0,4}|メルマガ.{0,16}|広告|PR|スポンサー.{0,8}|お知らせ
    |(?:mehr|weitere)\s+(?:zum\s+thema|artikel|nachrichten|aus|themen|meldungen)\b.{0,50}|lesen\s+sie\s+(?:auch|mehr)\b.{0,10}|(?:das\s+könnte|auch)\s+(?:sie|dich|interessant)\b.{0,30}|themen|schlagw[oö]rte[r]?|empfehlungen|anzeige|zur\s+startseite|meistgelesen.{0,20}
    |(?:à|a)\s+lire\s+(?:aussi|également)|lire\s+aussi|sur\s+le\s+même\s+(?:sujet|thème)|(?:lee|leer|lea)\s+(?:también|más)|noticias\s+relacionadas|te\s+puede\s+interesar|leia\s+(?:também|mais)|leggi\s+anche|les\s+også|läs\s+(?:också|även|mer)|læs\s+også|czytaj\s+(?:też|także)|читайте\s+также|相关(?:新闻|阅读|文章)|推荐阅读|관련\s*(?:기사|뉴스)
    )[\s】\]」』〉》:：.…>＞»→▼▽（(0-9)）]*$""",
    re.I | re.X,
)

# A line that is furniture by how it begins, whatever follows on it.
INSERTION = re.compile(
    r"""^[\s■□◆◇▼▽▶►➤➡→●○・>＞»*（(【\[〈《★☆※-]*(?:
    (?:read|see|watch|listen)(?:\s+(?:more|also|next|this|now))+\s*(?::|：|\||-|–|—|>|→|about\b|on\b.{0,60}$)|(?:related|also\s+read|read\s+also|more\s+on\s+this|recommended|don'?t\s+miss|see\s+also|watch|must\s+read|read\s+next|next\s+read)\s*(?:stor(?:y|ies)|articles?|posts?|reading|news|coverage|video|links?|content)?\s*(?::|：|\||–|—|-\s|>|»|→)
    |(?:click|tap)\s+(?:here|the\s+(?:link|button))\b|(?:please\s+)?(?:sign\s+up|subscribe|register|log\s?in|sign\s+in)\s+(?:here|now|today|for|to|with|or|and)\b.{0,160}$|(?:follow|like|join|find)\s+(?:us|me|the\s+[\w\s]{2,40}?|@?\w+)\s+on\s+(?:twitter|facebook|instagram|x\b|linkedin|telegram|google|whatsapp|youtube|threads|tiktok)
    |(?:get|receive)\s+(?:the\s+|our\s+|all\s+)?(?:latest|breaking|top|best|daily|free|weekly|full\s+access|unlimited)\b.{0,140}(?:inbox|newsletter|e-?mail|app|subscription|subscribe|alerts?)|(?:download|get)\s+(?:the|our)\s+.{0,40}\bapp\b|exit\s+mobile\s+version|skip\s+(?:to|advertisement)\b|(?:story|article)\s+continues\s+(?:below|after)|continue\s+reading\b|advertisement\b.{0,40}$|scroll\s+(?:down|to)\s+.{0,30}$|loading\b.{0,20}$|share\s+(?:this|on|via|with)\b.{0,80}$|(?:view|show|hide|load)\s+(?:all\s+)?(?:\d+\s+)?(?:comments?|more\b|gallery|slideshow|image|transcript).{0,40}$
    |(?:this|the)\s+(?:article|content|story|page)\s+is\s+(?:for|available\s+to|only\s+available|reserved\s+for|exclusive\s+to)\s+.{0,30}(?:subscribers?|members?)|already\s+(?:a\s+|have\s+an?\s+)?(?:subscriber|member|account|subscribed|registered)|(?:to|please)\s+(?:continue\s+reading|read\s+the\s+(?:full|rest|whole|complete)).{0,120}$|you\s+(?:have|'ve)\s+(?:reached|read|used).{0,40}(?:free|limit)|subscribe\s+to\s+.{0,100}$|support\s+(?:our|independent)\s+journalism.{0,120}$
    |we\s+use\s+cookies\b|this\s+(?:web)?site\s+uses\s+cookies|by\s+(?:continuing|clicking|using|signing|submitting|subscribing|providing)\b.{0,200}(?:cookies?|terms|privacy|agree)|(?:accept|manage|reject)\s+(?:all\s+)?cookies|cookie\s+(?:policy|settings|preferences)|please\s+enable\s+(?:javascript|cookies)|(?:your\s+)?browser\s+(?:does\s+not|doesn'?t|is\s+not)\s+support|javascript\s+(?:is|must|appears)
    |(?:©|\(c\)\s*(?:19|20)\d\d|copyright\b.{0,6}(?:©|\(c\)|(?:19|20)\d\d)|all\s+rights\s+reserved)|reproduction\s+(?:of|in\s+whole|without)\b|(?:this\s+material|no\s+part\s+of\s+this).{0,40}(?:may\s+not|published|reproduced)|photo(?:graph)?s?\s*(?:credit|courtesy|by)?\s*[:：/]|(?:image|picture|photo|illustration|video|graphic)s?\s*(?:credit|source|courtesy(?:\s+of)?|caption|by)s?\s*[:：/]?\s|(?:featured|cover|file|stock|header|lead)\s+(?:image|photo|picture)\b.{0,60}$|\((?:image|photo|picture|credit|source)s?\s*(?:credit|by|courtesy)?\s*[:：]|credit\s*[:：]|(?:our\s+standards:|the\s+thomson\s+reuters\s+trust)|have\s+a\s+(?:tip|story)\b.{0,100}$|(?:got|have)\s+(?:a|any)\s+(?:news\s+)?(?:tip|tips|question|confidential).{0,100}$|what\s+do\s+you\s+think\?.{0,80}comment|let\s+us\s+know\s+.{0,60}comment|tell\s+us\s+.{0,60}comments?
    |(?:【|\[|［|〈|≪|<)?\s*(?:関連(?:記事|リンク|ニュース|動画|写真|情報)?|あわせて読みたい|合わせて読みたい|併せて読みたい|こちらもおすすめ|おすすめ記事|参考(?:記事|リンク)|次の記事|前の記事|PR|広告|写真(?:特集|一覧|まとめ|ギャラリー)?|動画|図解|画像(?:一覧)?|ランキング|もっと読む|詳細|元記事|ニュース一覧)\s*(?:】|\]|］|〉|≫|>|:|：|＝|=|▶|→|はこちら)
    |(?:この|本)(?:記事|コンテンツ|ページ|続き|サイト)は.{0,16}(?:会員|有料|限定|購読|ログイン|登録|Cookie|クッキー)|(?:有料|無料|プレミアム|電子版|デジタル)?会員(?:限定|登録|の方|になると|なら)|有料(?:記事|会員|プラン)|ログイン(?:して|する|は|$)|新規(?:会員)?登録|ご利用には.{0,12}(?:登録|ログイン|必要)|(?:続きを|全文を|残り).{0,24}(?:読む|お読み|文字|ご覧|登録|会員)|残り[:：]?\s*[\d,]+\s*文字|全文\s*[\d,]+\s*文字|(?:月額|初月|初回|年額|いまなら|今なら).{0,40}円|(?:紙の新聞|定期購読|購読者).{0,40}(?:無料|登録|会員|方)|.{0,16}(?:読み放題|キャンペーン実施中|無料トライアル|無料体験)
    |(?:メールマガジン|メルマガ|ニュースレター).{0,40}(?:登録|配信|お届け|購読)|(?:この|本)(?:ニュース|記事|ページ)を(?:シェア|共有|ツイート|保存|印刷|英語で|友達)|(?:保存した|ブックマーク).{0,30}(?:記事|ます|ご覧)|.{0,12}(?:をフォロー(?:する|して|しよう)|公式(?:X|Twitter|LINE|Facebook|アカウント))|(?:LINE|X|Twitter|Facebook|ツイッター|フェイスブック|はてな)(?:で|に)(?:シェア|共有|送る|投稿)|友だち追加|(?:クリック|タップ|スクロール)(?:すると|して)(?:拡大|続き|お読み|表示)|(?:画像|写真|図表?)(?:を|は)(?:クリック|タップ|拡大|見る)|拡大(?:する|写真|画像)|写真を見る|印刷する|お問い合わせ(?:は|先は)こちら
    |(?:写真|画像|撮影|提供|イラスト|図版|出典|クレジット|資料写真|イメージ)\s*(?:[:：＝=／]|/)|[（(［\[](?:写真|画像|提供|撮影|イメージ)[^）)］\]]{0,40}[）)］\]]$|(?:無断|本サイト|当サイト|掲載の).{0,24}(?:転載|複製|禁じ|禁止|使用)|(?:記事・?写真|掲載記事).{0,30}(?:禁|著作権)|.{0,10}(?:著作権|無断転載)|copyright|当サイトでは.{0,30}(?:Cookie|クッキー)|(?:Cookie|クッキー)(?:の使用|を使用|ポリシー|設定)|JavaScript(?:を|が).{0,14}(?:有効|無効|オン)|完了しました|お使いのブラウザ|読み込み中|ご覧いただけません|.{0,24}(?:を|で)(?:英語で読む|読む\s*▶|もっと見る)$|企業での記事共有|訂正・おわび|アカウント一覧|無料・有料プラン
    |(?:lesen\s+sie\s+(?:auch|hierzu|dazu|mehr)|mehr\s+(?:zum\s+thema|dazu|lesen)|auch\s+interessant|siehe\s+auch|anzeige|foto|bild)\s*(?::|：|\||–|-\s|$)|(?:à\s+lire|lire)\s+(?:aussi|également)\b|(?:lee|leer|lea)\s+(?:también|tambien)\b|(?:leia|veja)\s+(?:também|mais)\b|leggi\s+anche\b|les\s+også\b|läs\s+(?:också|även|mer)\b|læs\s+også\b|читайте\s+также|czytaj\s+(?:też|także|również)
    )""",
    re.I | re.X,
)

# Marks of a page that gives the beginning only.
PAYWALL = re.compile(
    r"(?:subscribe|sign\s?in|log\s?in|register)\s+(?:now\s+)?to\s+(?:continue|read|keep|unlock|access|view)"
    r"|(?:to\s+)?(?:continue|keep)\s+reading\b.{0,60}(?:subscri|account|sign|log|register|free|trial)|this\s+(?:article|content|story|post)\s+is\s+(?:for|available\s+(?:only\s+)?to|only\s+for|exclusive(?:ly)?\s+(?:to|for)|reserved\s+for)\s+(?:\w+\s+){0,3}(?:subscribers?|members?)"
    r"|(?:subscriber|member)s?[-\s]only|already\s+a\s+(?:subscriber|member)|unlock\s+(?:this|the|full)\b.{0,30}(?:article|story|access)|to\s+read\s+the\s+(?:full|rest|complete|whole)\b|you(?:'ve|\s+have)\s+(?:reached|used).{0,40}(?:free|limit)"
    r"|会員限定(?:記事|です|コンテンツ)|会員限定の?記事|有料会員(?:限定|の方|になると|に登録)|この記事は有料|(?:続き|全文|残り).{0,20}(?:お読み|読むには|ご覧|会員|登録|ログイン)|残り[:：]?\s*[\d,]+\s*文字|登録すると続き|有料記事です|購読(?:すると|者限定)|プレミアム会員|ログインして続き|この続きは",
    re.I,
)

# A by-line or a date line: short, above or below the text.
BYLINE = re.compile(
    r"^(?:(?:written|reported|posted|published|edited|reporting|compiled|updated|modified)?\s*(?:by|in)\b\s*:?\s*(?!the\b)[\w.'’\- ,&|/]{3,80}$|(?:published|updated|posted|last\s+(?:updated|modified)|first\s+published|modified|created)\b.{0,80}$|(?:\d+|one|two|three|five)\s*[-\s]?min(?:ute)?s?\.?\s*(?:read|to\s+read).{0,20}$|(?:by\s+)?staff(?:\s+(?:writer|reporter)s?)?$|(?:文|取材|執筆|構成|聞き手|編集|記者|翻訳|著者?|筆者)\s*[:：＝=／/・].{1,40}$|.{1,14}(?:記者|通信員|特派員|編集委員|編集部|論説委員|支局長)$|(?:公開|更新|掲載|投稿|配信|発行|最終更新)日?時?\s*[:：]?.{0,40}$)",
    re.I,
)
DATE_LINE = re.compile(
    r"^\W*(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s*)?(?:\d{1,2}:\d{2}\s*(?:[ap]\.?m\.?)?\s*(?:[A-Z]{2,4})?,?\s*)?(?:(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{4}|\d{1,2}(?:st|nd|rd|th)?\.?\s+(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mär|mai|okt|dez)[a-z]*\.?,?\s+\d{4}|\d{4}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}\s*日?|\d{1,2}[./]\d{1,2}[./]\d{2,4}|\d{1,2}月\d{1,2}日)(?!.*(?:。|[a-z]{3,}.*[a-z]{3,}.*[a-z]{3,}.*[a-z]{3,}.*\.$)).{0,50}$",
    re.I,
)

# Names of elements that hold furniture. Tried on class and id; never on what holds the article.
ELEMENT = re.compile(
    r"related|recommend|ranking|popular|trending|most-?read|read-?(?:more|next|also)|also-?read|see-?also|more-?(?:stories|news|from|articles)|you-?may|next-?(?:article|post|story|read)|prev(?:ious)?-?(?:article|post|story)|pick-?up|osusume|kanren|kiji-?list|article-?list|post-?list|news-?list|link-?list"
    r"|(?:^|[\s_-])(?:sns|share|sharing|social|follow|toolbar|tools|tags?|tag-?list|keywords?|topics?|breadcrumbs?|topicpath|pan-?kuzu|pager|pagination|pagetop|toc|author-?(?:bio|box|info|card|profile)|bio|about-?author|profile|writer|newsletter|mail-?magazine|subscribe|subscription|sign-?up|signup|login|register|paywall|regwall|piano|meter|promo(?:tion)?|cta|advert(?:isement)?|ads?|ad-?(?:slot|unit|container|wrapper|box)|banner|sponsor(?:ed)?|pr-?(?:box|area|text)|cookie|consent|gdpr|disclaimer|copyright|credits?|photo-?credit|caption|figcaption|comments?|comment-?(?:list|area|box)|reactions?|rating|survey|poll|app-?(?:banner|promo|download)|modal|popup|pop-?up|overlay|print-?(?:button|link)|bookmark|clip|favorite|mypage|member(?:ship)?-?(?:only|box|info|guide|area)?)(?:$|[\s_-])"
    r"|twitter-?tweet|instagram-?media|tiktok-?embed|fb-?post|taboola|outbrain|newsletter|popin|logly|gmo-?reach|addtoany|sharedaddy|jp-relatedposts|wp-?polls",
    re.I,
)
