/* Silent sources */
/* Sources that fail, are gone, or have shown nothing new for over three times their usual gap. */
SELECT
  id,
  name,
  state,
  state_since,
  state_reason,
  newest_item_at,
  round(julianday('now') - julianday(newest_item_at), 1) AS days_since_newest,
  round(usual_gap_hours / 24, 1) AS usual_gap_days,
  last_ok_at
FROM source_health
WHERE enabled
  AND (state IN ('failing', 'silent', 'gone')
    OR (julianday('now') - julianday(newest_item_at)) * 24 > 3 * max(usual_gap_hours, 24))
ORDER BY days_since_newest DESC, id
