"""The questions our own pages ask. Instants are parameters, in the archive's own form."""

from __future__ import annotations

# Newest first; the page puts the articles of a story together.
NEWEST = """
SELECT v.id, v.item_id, v.matched_at, v.published_at, v.source, v.country, v.lang, v.title, v.url,
  v.corridors, v.topics, v.event, v.score, v.priority, v.why, v.story_id, v.outlets, st.title AS story
FROM matches_view v JOIN stories st ON st.id = v.story_id
WHERE v.matched_at >= :since LIMIT :limit
"""
CORRIDORS = """
SELECT c.value AS name, count(DISTINCT m.story_id) AS stories, count(*) AS articles,
  count(DISTINCT CASE WHEN v.priority = 'high' THEN m.story_id END) AS high
FROM matches m JOIN verdicts v ON v.id = m.verdict_id JOIN json_each(v.corridors) c
WHERE m.matched_at >= :since GROUP BY c.value ORDER BY stories DESC
"""
TOTALS = """
SELECT (SELECT count(*) FROM matches WHERE matched_at >= :since) AS articles,
  (SELECT count(DISTINCT story_id) FROM matches WHERE matched_at >= :since) AS stories,
  (SELECT count(*) FROM items WHERE outcome = 'near-miss' AND processed_at >= :since) AS near_misses,
  (SELECT max(last_polled_at) FROM sources) AS polled_at,
  (SELECT max(matched_at) FROM matches) AS newest
"""
AILING = """
SELECT id, name, state, state_since, state_reason, newest_item_at FROM source_health
WHERE enabled AND state IN ('failing', 'silent', 'gone') ORDER BY state, state_since LIMIT 200
"""
STATES = "SELECT state, count(*) AS n FROM sources WHERE enabled GROUP BY state ORDER BY n DESC"

WEEKS = """
SELECT date(st.first_at, 'weekday 0', '-6 days') AS week, c.value AS name, count(DISTINCT st.id) AS n
FROM stories st JOIN matches m ON m.story_id = st.id JOIN verdicts v ON v.id = m.verdict_id
JOIN json_each(v.corridors) c WHERE st.first_at >= :since GROUP BY week, c.value
"""
TOPICS = """
SELECT t.value AS name, count(DISTINCT m.story_id) AS n
FROM matches m JOIN verdicts v ON v.id = m.verdict_id JOIN json_each(v.topics) t
WHERE m.matched_at >= :since GROUP BY t.value ORDER BY n DESC, name LIMIT 15
"""
ORGANISATIONS = """
SELECT o.value AS name, count(DISTINCT m.story_id) AS n
FROM matches m JOIN verdicts v ON v.id = m.verdict_id JOIN json_each(v.organisations) o
WHERE m.matched_at >= :since GROUP BY o.value ORDER BY n DESC, name LIMIT 15
"""
BUSIEST = """
SELECT id, name, state, items, matches FROM source_health WHERE matches > 0
ORDER BY matches DESC, items LIMIT 15
"""

ITEM_OF_MATCH = "SELECT item_id FROM matches WHERE id = :match"
ARTICLE = """
SELECT i.id AS item_id, m.id AS match_id, m.matched_at, m.story_id, m.alert, i.outcome, i.reason,
  i.first_seen_at, i.processed_at, s.country, s.authority,
  CASE WHEN s.authority = 'aggregator' AND i.outlet <> '' THEN i.outlet
    WHEN s.name <> '' THEN s.name ELSE s.id END AS source,
  coalesce(nullif(a.lang, ''), i.lang) AS lang, coalesce(nullif(a.title, ''), i.title) AS title,
  coalesce(nullif(a.url, ''), i.url) AS url, coalesce(nullif(a.author, ''), i.author) AS author,
  coalesce(a.published_at, i.published_at) AS published_at, coalesce(a.text, '') AS text, a.label,
  v.id AS verdict_id, v.score, v.priority, v.event, v.why, v.basis, v.rules_version, v.decided_at,
  coalesce(v.corridors, '[]') AS corridors, coalesce(v.topics, '[]') AS topics,
  coalesce(v.rules, '[]') AS rules, coalesce(v.organisations, '[]') AS organisations,
  coalesce(v.programmes, '[]') AS programmes, coalesce(v.amounts, '[]') AS amounts,
  coalesce(v.evidence, '[]') AS evidence
FROM items i JOIN sources s ON s.id = i.source_id
LEFT JOIN articles a ON a.item_id = i.id LEFT JOIN matches m ON m.item_id = i.id
LEFT JOIN verdicts v
  ON v.id = coalesce(m.verdict_id, (SELECT max(id) FROM verdicts WHERE item_id = i.id))
WHERE i.id = :item
"""
PARTS = "SELECT rule, label, weight, field, quote FROM verdict_parts WHERE verdict_id = :verdict ORDER BY n"
STORY = """
SELECT id, item_id, title, source, country, url, published_at, matched_at FROM matches_view
WHERE story_id = :story ORDER BY matched_at, id LIMIT 100
"""
JOINS = """
SELECT j.decision, j.reason, j.other_match_id, o.title AS other FROM story_joins j
LEFT JOIN matches m ON m.id = j.other_match_id LEFT JOIN items o ON o.id = m.item_id
WHERE j.match_id = :match ORDER BY j.id LIMIT 50
"""
# When, never to whom.
DIGESTS = """
SELECT c.digest_name, c.role, d.composed_at,
  (SELECT min(sent_at) FROM outbox WHERE digest_id = d.id) AS sent_at
FROM digest_claims c JOIN digests d ON d.id = c.digest_id WHERE c.match_id = :match ORDER BY d.composed_at
"""
SEEN = """
SELECT CASE WHEN s.name <> '' THEN s.name ELSE s.id END AS source, min(g.seen_at) AS seen_at
FROM sightings g JOIN sources s ON s.id = g.source_id WHERE g.item_id = :item GROUP BY s.id ORDER BY seen_at
"""
