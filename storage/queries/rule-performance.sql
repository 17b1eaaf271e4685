/* Rule performance, from feedback */
/* What readers judged of the articles each rule let through: the share that was good, worst rule first. */
WITH newest AS (
  SELECT item_id, judgement FROM feedback
  WHERE id IN (SELECT max(id) FROM feedback WHERE item_id IS NOT NULL GROUP BY item_id)
)
SELECT
  rule.value AS rule,
  sum(n.judgement = 'good') AS good,
  sum(n.judgement = 'bad') AS bad,
  sum(n.judgement = 'missed') AS missed,
  round(1.0 * sum(n.judgement <> 'bad') / count(*), 2) AS share_right
FROM newest n
JOIN verdicts v ON v.id = (SELECT max(id) FROM verdicts WHERE item_id = n.item_id)
JOIN json_each(v.rules) AS rule
GROUP BY rule
ORDER BY share_right, bad DESC, rule
