/* Stories with most outlets */
/* The stories of the last 30 days that most outlets carried. */
SELECT
  st.id AS story_id,
  st.title,
  st.outlets,
  st.first_at,
  st.updated_at,
  v.source AS leading_source,
  v.corridors,
  v.topics,
  v.url
FROM stories st
JOIN matches_view v ON v.id = st.lead_match_id
WHERE st.updated_at >= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-30 days')
ORDER BY st.outlets DESC, st.updated_at DESC
LIMIT 50
