/* Delivery proof */
/* Which story went to whom, when, and what the receiver answered, for the last 30 days. */
SELECT
  l.sent_at,
  l.status,
  l.digest,
  l.channel,
  l.recipient,
  st.title AS story,
  group_concat(DISTINCT c.role) AS shown_as,
  count(*) AS articles,
  l.response,
  l.error,
  st.id AS story_id,
  l.id AS outbox_id
FROM delivery_log l
JOIN digest_claims c ON c.digest_id = l.digest_id AND c.digest_name = l.digest AND c.role IN ('new', 'update')
JOIN stories st ON st.id = c.story_id
WHERE l.created_at >= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-30 days')
GROUP BY l.id, st.id
ORDER BY l.id DESC, st.id
LIMIT 500
