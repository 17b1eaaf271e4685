/* Funding announced, with amounts */
/* Every sum named in stories about funding, investment or programmes in the last 90 days, newest first. */
SELECT
  min(m.matched_at) AS first_seen_at,
  json_extract(amount.value, '$.text') AS amount,
  json_extract(amount.value, '$.currency') AS currency,
  json_extract(amount.value, '$.value') AS value,
  st.title AS story,
  v.event,
  v.organisations,
  st.outlets,
  st.id AS story_id
FROM matches m
JOIN verdicts v ON v.id = m.verdict_id
JOIN stories st ON st.id = m.story_id
JOIN json_each(v.amounts) AS amount
WHERE m.matched_at >= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-90 days')
  AND v.event IN ('funding', 'investment', 'rd-programme', 'agreement')
GROUP BY st.id, json_extract(amount.value, '$.currency'), round(json_extract(amount.value, '$.value'))
ORDER BY first_seen_at DESC, value DESC
