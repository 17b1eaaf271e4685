"""The views made for people: flat, documented, newest first, quick on their first page.

As in schema.py, the comment of a column goes into the data dictionary.
"""

from __future__ import annotations

# Who carries an article: the publisher a search feed names, else the source itself.
OUTLET = """CASE WHEN s.authority = 'aggregator' AND i.outlet <> '' THEN i.outlet
      WHEN s.name <> '' THEN s.name ELSE s.id END"""

VIEWS_V1 = f"""
CREATE VIEW matches_view AS -- one flat row per match, newest first: start here
  SELECT
    m.id AS id,                          -- number of the match
    m.item_id AS item_id,                -- for monitor explain and feedback
    m.matched_at AS matched_at,          -- when it was stored
    coalesce(a.published_at, i.published_at) AS published_at, -- as the page, else the source, dates it
    {OUTLET} AS source,                  -- name of the source, or the publisher a search feed names
    s.country AS country,                -- of the source: two letters, or int
    coalesce(nullif(a.lang, ''), i.lang) AS lang, -- en, ja or other
    coalesce(nullif(a.title, ''), i.title) AS title, -- headline
    coalesce(nullif(a.url, ''), i.url) AS url, -- where to read it
    v.corridors AS corridors,            -- JSON array: uk-japan, us-japan
    v.topics AS topics,                  -- JSON array
    v.event AS event,                    -- agreement, funding, visit-talks …
    v.score AS score,                    -- sum of the parts in verdict_parts
    v.priority AS priority,              -- high, normal or low
    v.why AS why,                        -- why it matched, in one line
    v.organisations AS organisations,    -- JSON array of canonical names
    v.amounts AS amounts,                -- JSON array of objects: text, currency, value
    m.story_id AS story_id,              -- the same news elsewhere has the same number
    st.outlets AS outlets,               -- how many outlets carry the story
    (SELECT min(o.sent_at) FROM digest_claims c JOIN outbox o ON o.digest_id = c.digest_id
      WHERE c.match_id = m.id AND c.role IN ('new', 'update')) AS sent_at -- when it first went out
  FROM matches m
  CROSS JOIN items i ON i.id = m.item_id
  CROSS JOIN sources s ON s.id = i.source_id
  CROSS JOIN verdicts v ON v.id = m.verdict_id
  CROSS JOIN stories st ON st.id = m.story_id
  LEFT JOIN articles a ON a.item_id = m.item_id
  ORDER BY m.matched_at DESC, m.id DESC;

CREATE VIEW near_misses AS -- articles a rule almost let through, newest first
  SELECT
    i.id AS item_id,                     -- for monitor explain and feedback
    i.processed_at AS decided_at,        -- when it was judged
    coalesce(a.published_at, i.published_at) AS published_at, -- as the page, else the source, dates it
    {OUTLET} AS source,                  -- name of the source, or the publisher a search feed names
    s.country AS country,                -- of the source: two letters, or int
    coalesce(nullif(a.lang, ''), i.lang) AS lang, -- en, ja or other
    coalesce(nullif(a.title, ''), i.title) AS title, -- headline
    coalesce(nullif(a.url, ''), i.url) AS url, -- where to read it
    v.score AS score,                    -- what it reached
    i.reason AS reason,                  -- what it lacked
    v.why AS why,                        -- what spoke for it
    v.rules AS rules,                    -- JSON array: the rules that nearly held
    v.corridors AS corridors,            -- JSON array
    v.topics AS topics                   -- JSON array
  FROM items i
  CROSS JOIN sources s ON s.id = i.source_id
  CROSS JOIN verdicts v ON v.id = (SELECT max(id) FROM verdicts WHERE item_id = i.id)
  LEFT JOIN articles a ON a.item_id = i.id
  WHERE i.outcome = 'near-miss'
  ORDER BY i.processed_at DESC, i.id DESC;

CREATE VIEW source_health AS -- one row per source: how polling goes and what it brings, worst first
  SELECT
    s.id AS id,                          -- as in config/sources.yaml
    CASE WHEN s.name <> '' THEN s.name ELSE s.id END AS name, -- for people
    s.state AS state,                    -- new, ok, failing, silent, gone or disabled
    s.state_since AS state_since,        -- since when
    s.state_reason AS state_reason,      -- why, in words
    s.failures AS failures,              -- failed polls in a row
    s.last_polled_at AS last_polled_at,  -- last attempt
    s.last_ok_at AS last_ok_at,          -- last attempt that was read
    s.next_poll_at AS next_poll_at,      -- not before this
    s.newest_item_at AS newest_item_at,  -- date of its newest item
    s.usual_gap_hours AS usual_gap_hours, -- its usual time between items
    s.country AS country,                -- two letters, or int
    s.lang AS lang,                      -- en, ja or empty
    s.authority AS authority,            -- official, industry, thinktank, press or aggregator
    s.enabled AS enabled,                -- 1 or 0
    (SELECT count(*) FROM items i WHERE i.source_id = s.id) AS items, -- articles it showed first
    (SELECT count(*) FROM items i WHERE i.source_id = s.id AND i.outcome = 'match')
      AS matches                         -- how many of them matched
  FROM sources s
  ORDER BY CASE s.state WHEN 'failing' THEN 0 WHEN 'gone' THEN 1 WHEN 'silent' THEN 2 WHEN 'new' THEN 3
    WHEN 'ok' THEN 4 ELSE 5 END, s.id;

CREATE VIEW delivery_log AS -- one row per message and recipient, newest first: what went to whom, and when
  SELECT
    o.id AS id,                          -- number in the outbox
    o.created_at AS created_at,          -- when it was composed
    o.sent_at AS sent_at,                -- when the receiver took it; empty if it has not
    o.status AS status,                  -- pending, sending, retry, sent, dead or dropped
    o.digest_name AS digest,             -- as in config/digests.yaml
    d.kind AS kind,                      -- scheduled, immediate, weekly, first-look or requested
    o.subject AS subject,                -- its subject line
    d.stories AS stories,                -- how many stories it shows
    o.channel AS channel,                -- name in config/monitor.yaml
    o.kind AS channel_kind,              -- file, email, slack, webhook or apprise
    o.recipient AS recipient,            -- address, channel or folder
    o.attempts AS attempts,              -- tries
    o.retry_at AS retry_at,              -- next try
    o.response AS response,              -- what the receiver said
    o.error AS error,                    -- why the last try failed
    o.digest_id AS digest_id             -- joins digest_claims, which has the matches
  FROM outbox o
  LEFT JOIN digests d ON d.id = o.digest_id
  ORDER BY o.id DESC;
"""
