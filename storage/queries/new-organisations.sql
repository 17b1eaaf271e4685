/* New organisations this month */
/* Organisations named in a match in the last 30 days and in none of the year before. */
WITH recent AS (
  SELECT organisation.value AS name, min(m.matched_at) AS first_seen_at, count(DISTINCT m.story_id) AS stories,
    min(m.id) AS match_id
  FROM matches m
  JOIN verdicts v ON v.id = m.verdict_id
  JOIN json_each(v.organisations) AS organisation
  WHERE m.matched_at >= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-30 days')
  GROUP BY name
), before AS MATERIALIZED (
  SELECT DISTINCT organisation.value AS name
  FROM matches m
  JOIN verdicts v ON v.id = m.verdict_id
  JOIN json_each(v.organisations) AS organisation
  WHERE m.matched_at >= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-395 days')
    AND m.matched_at < strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-30 days')
)
SELECT r.name AS organisation, r.first_seen_at, r.stories, coalesce(nullif(a.title, ''), i.title) AS first_article,
  coalesce(nullif(a.url, ''), i.url) AS url
FROM recent r
JOIN matches m ON m.id = r.match_id
JOIN items i ON i.id = m.item_id
LEFT JOIN articles a ON a.item_id = i.id
WHERE r.name NOT IN (SELECT name FROM before)
ORDER BY r.first_seen_at DESC, organisation
