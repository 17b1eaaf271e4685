/* Sources that bring most matches per article read */
/* What each source is worth: its matches for every thousand articles it showed, and when it last had one. */
SELECT
  h.id,
  h.name,
  h.country,
  h.authority,
  h.items,
  h.matches,
  round(1000.0 * h.matches / max(h.items, 1), 1) AS matches_per_thousand,
  h.newest_item_at,
  h.state
FROM source_health h
ORDER BY matches_per_thousand DESC, h.matches DESC, h.id
