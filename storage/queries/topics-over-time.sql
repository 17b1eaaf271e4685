/* Topics over time */
/* How many stories began in each of the last twelve weeks, by topic; weeks start on Monday. */
SELECT
  date(st.first_at, 'weekday 0', '-6 days') AS week,
  topic.value AS topic,
  count(DISTINCT st.id) AS stories
FROM stories st
JOIN matches m ON m.story_id = st.id
JOIN verdicts v ON v.id = m.verdict_id
JOIN json_each(v.topics) AS topic
WHERE st.first_at >= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-84 days')
GROUP BY week, topic
ORDER BY week DESC, stories DESC, topic
