/* This week by corridor */
/* Stories and articles of the last seven days for each corridor, with the share of official sources. */
SELECT
  corridor.value AS corridor,
  count(DISTINCT m.story_id) AS stories,
  count(*) AS articles,
  sum(s.authority = 'official') AS official,
  sum(v.priority = 'high') AS high_priority,
  sum(coalesce(nullif(a.lang, ''), i.lang) = 'ja') AS in_japanese
FROM matches m
JOIN verdicts v ON v.id = m.verdict_id
JOIN items i ON i.id = m.item_id
JOIN sources s ON s.id = i.source_id
LEFT JOIN articles a ON a.item_id = i.id
JOIN json_each(v.corridors) AS corridor
WHERE m.matched_at >= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-7 days')
GROUP BY corridor
ORDER BY stories DESC
