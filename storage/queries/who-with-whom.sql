/* Who appears with whom */
/* Pairs of organisations named in the same article in the last 90 days, by how many stories. */
SELECT
  a.value AS organisation,
  b.value AS with_organisation,
  count(DISTINCT m.story_id) AS stories,
  max(m.matched_at) AS last_seen_at
FROM matches m
JOIN verdicts v ON v.id = m.verdict_id
JOIN json_each(v.organisations) AS a
JOIN json_each(v.organisations) AS b ON b.value > a.value
WHERE m.matched_at >= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-90 days')
GROUP BY organisation, with_organisation
ORDER BY stories DESC, last_seen_at DESC, organisation, with_organisation
LIMIT 100
