/* Search */
/* Articles with all the words of :q, English and Japanese, best first; "quoted words" stand side by side. */
WITH RECURSIVE
-- What was typed becomes what the index holds, as monitor/store/words.py does it: full width to half,
-- Chinese and Japanese characters one by one, U.S. as US, without the commonest words and particles.
typed(i, c, rest) AS (
  SELECT 0, '', substr(:q, 1, 200)
  UNION ALL
  SELECT i + 1, substr(rest, 1, 1), substr(rest, 2) FROM typed WHERE rest <> ''
),
folded AS (
  SELECT i, CASE
      WHEN unicode(c) BETWEEN 65281 AND 65374 THEN char(unicode(c) - 65248)
      WHEN c IN ('“', '”', '「', '」', '『', '』') THEN '"'
      WHEN c IN (char(9), char(10), char(13), '　') THEN ' '
      ELSE c END AS c
  FROM typed WHERE i > 0
),
kinds AS (
  SELECT i, c, CASE
      WHEN unicode(c) BETWEEN 12353 AND 12438 THEN 'hiragana'
      WHEN unicode(c) BETWEEN 12293 AND 12295 OR unicode(c) BETWEEN 12445 AND 12447
        OR unicode(c) BETWEEN 12449 AND 12538 OR unicode(c) BETWEEN 12540 AND 12543
        OR unicode(c) BETWEEN 12784 AND 12799 OR unicode(c) BETWEEN 13312 AND 19903
        OR unicode(c) BETWEEN 19968 AND 40959 OR unicode(c) BETWEEN 63744 AND 64255
        OR unicode(c) BETWEEN 131072 AND 262143 THEN 'cjk'
      WHEN c GLOB '[A-Za-z0-9]' OR (unicode(c) BETWEEN 192 AND 8191 AND c NOT IN ('×', '÷'))
        OR unicode(c) BETWEEN 44032 AND 55203 THEN 'letter'
      ELSE c END AS kind
  FROM folded
),
near AS (
  SELECT i, c, kind, lag(kind, 1, '') OVER w AS before, lag(kind, 2, '') OVER w AS before_that,
    lead(kind, 1, '') OVER w AS after, sum(c = '"') OVER w % 2 AS quoted
  FROM kinds WINDOW w AS (ORDER BY i)
),
closed_up AS (  -- without the dots of U.S.
  SELECT * FROM near WHERE NOT (c = '.' AND before = 'letter' AND before_that <> 'letter')
),
units AS (
  SELECT i, c, kind, before, after,
    sum(kind <> 'letter' OR lag_kind <> 'letter') OVER w AS word,
    sum(c = '"' OR (c = ' ' AND NOT quoted)) OVER w AS phrase
  FROM (SELECT *, lag(kind, 1, '') OVER (ORDER BY i) AS lag_kind FROM closed_up)
  WINDOW w AS (ORDER BY i)
),
words AS (
  SELECT phrase, word, group_concat(c, '') AS text
  FROM (SELECT * FROM units ORDER BY i)
  WHERE kind IN ('letter', 'cjk') OR (kind = 'hiragana' AND 'hiragana' IN (before, after))
  GROUP BY phrase, word
),
phrases AS (
  SELECT phrase, '"' || group_concat(text, ' ') || '"' AS text
  FROM (SELECT * FROM words ORDER BY word)
  WHERE lower(text) NOT IN ('a', 'an', 'and', 'are', 'as', 'at', 'be', 'by', 'for', 'from', 'has', 'in', 'is',
    'its', 'of', 'on', 'or', 'that', 'the', 'this', 'to', 'was', 'were', 'will', 'with')
  GROUP BY phrase
),
asked AS (SELECT group_concat(text, ' AND ') AS query FROM phrases),
hits AS MATERIALIZED (
  SELECT rowid AS item_id, bm25(search, 1.0, 6.0) AS rank
  FROM search WHERE search MATCH (SELECT coalesce(query, '""') FROM asked)
  ORDER BY rowid DESC LIMIT 2000
),
best AS MATERIALIZED (SELECT * FROM hits ORDER BY rank, item_id DESC LIMIT 100),
needle AS (
  SELECT lower(group_concat(c, '')) AS text
  FROM (SELECT c FROM units WHERE phrase = (SELECT min(phrase) FROM phrases) AND c <> '"' ORDER BY i)
)
SELECT
  coalesce(a.published_at, i.published_at) AS published_at,
  CASE WHEN s.name <> '' THEN s.name ELSE s.id END AS source,
  a.title,
  CASE WHEN instr(lower(a.text), needle.text) > 40 THEN '…' ELSE '' END
    || replace(substr(a.text, max(1, instr(lower(a.text), needle.text) - 40), 160), char(10), ' ') AS snippet,
  a.url,
  v.corridors,
  v.topics,
  m.story_id,
  b.item_id
FROM best b
CROSS JOIN needle
CROSS JOIN articles a ON a.item_id = b.item_id
CROSS JOIN items i ON i.id = b.item_id
CROSS JOIN sources s ON s.id = i.source_id
LEFT JOIN matches m ON m.item_id = b.item_id
LEFT JOIN verdicts v ON v.id = m.verdict_id
ORDER BY b.rank, b.item_id DESC
