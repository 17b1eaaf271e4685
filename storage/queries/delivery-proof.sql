/* Delivery proof */
/* Which story went to whom, when, and what the receiver answered, for the last 30 days. */
WITH recent AS MATERIALIZED (
  SELECT id, sent_at, status, digest_name, digest_id, channel, recipient, response, error
  FROM outbox
  WHERE created_at >= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-30 days')
)
SELECT
  o.sent_at,
  o.status,
  o.digest_name AS digest,
  o.channel,
  o.recipient,
  st.title AS story,
  group_concat(DISTINCT c.role) AS shown_as,
  count(*) AS articles,
  o.response,
  o.error,
  st.id AS story_id,
  o.id AS outbox_id
FROM recent o
CROSS JOIN digest_claims c ON c.digest_id = o.digest_id AND c.role IN ('new', 'update')
CROSS JOIN stories st ON st.id = c.story_id
GROUP BY o.id, st.id
ORDER BY o.id DESC, st.id
LIMIT 500
