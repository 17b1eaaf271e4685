/* Official source versus press */
/* For stories of the last 90 days that both carried: by how many hours the press was behind the official source (negative: ahead). */
WITH dated AS (
  SELECT m.story_id, s.authority = 'official' AS official, coalesce(a.published_at, i.published_at) AS at,
    CASE WHEN s.name <> '' THEN s.name ELSE s.id END AS source
  FROM matches m
  JOIN items i ON i.id = m.item_id
  JOIN sources s ON s.id = i.source_id
  LEFT JOIN articles a ON a.item_id = m.item_id
  WHERE m.matched_at >= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-90 days')
    AND s.authority IN ('official', 'press')
    AND coalesce(a.published_at, i.published_at) IS NOT NULL
), first AS (
  SELECT story_id, official, min(at) AS at, source FROM dated GROUP BY story_id, official
)
SELECT
  st.id AS story_id,
  st.title,
  o.source AS official_source,
  o.at AS official_at,
  p.source AS press_source,
  p.at AS press_at,
  round((julianday(p.at) - julianday(o.at)) * 24, 1) AS lag_hours
FROM first o
JOIN first p ON p.story_id = o.story_id AND NOT p.official
JOIN stories st ON st.id = o.story_id
WHERE o.official
ORDER BY o.at DESC
