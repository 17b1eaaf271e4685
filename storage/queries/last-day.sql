/* The last 24 hours */
/* One row per story that gained an article since this time yesterday, most important first. */
SELECT
  v.priority,
  v.story_id,
  st.title,
  st.outlets,
  count(*) AS new_articles,
  group_concat(v.source, ', ') AS sources,
  v.corridors,
  v.topics,
  v.url
FROM matches_view v
JOIN stories st ON st.id = v.story_id
WHERE v.matched_at >= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-1 day')
GROUP BY v.story_id
ORDER BY CASE v.priority WHEN 'high' THEN 0 WHEN 'normal' THEN 1 ELSE 2 END, st.outlets DESC, v.story_id DESC
