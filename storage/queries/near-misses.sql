/* Near misses */
/* Articles of the last 30 days that a rule almost let through, those that came closest first. */
SELECT
  score,
  reason,
  title,
  source,
  published_at,
  url,
  rules,
  item_id
FROM near_misses
WHERE decided_at >= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-30 days')
ORDER BY score DESC, decided_at DESC
LIMIT 200
