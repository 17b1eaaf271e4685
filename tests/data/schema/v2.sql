BEGIN;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
CREATE TABLE sources ( -- one row per configured source, with the state of its polling
  id TEXT PRIMARY KEY,                   -- as in config/sources.yaml
  name TEXT NOT NULL DEFAULT '',         -- for people
  kind TEXT NOT NULL,                    -- feed, page, sitemap, watch or search
  url TEXT NOT NULL,                     -- as configured
  permanent_url TEXT NOT NULL DEFAULT '', -- where a permanent redirect points
  permanent_seen INTEGER NOT NULL DEFAULT 0, -- polls that gave that redirect; from 5 on it is polled itself
  permanent_since TEXT,                  -- when it was first given
  homepage TEXT NOT NULL DEFAULT '',     -- for people
  country TEXT NOT NULL DEFAULT '',      -- ISO 3166 two letters, or int
  lang TEXT NOT NULL DEFAULT '',         -- en, ja or empty
  category TEXT NOT NULL DEFAULT '',     -- group in the catalogue
  authority TEXT NOT NULL DEFAULT '',    -- official, industry, thinktank, press or aggregator
  config TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(config)), -- the whole entry of config/sources.yaml
  enabled INTEGER NOT NULL DEFAULT 1,    -- 0: no longer in the configuration, or switched off
  state TEXT NOT NULL DEFAULT 'new',     -- new, ok, failing, silent, gone or disabled
  state_since TEXT,                      -- when it entered that state
  state_reason TEXT NOT NULL DEFAULT '', -- why, in words
  failures INTEGER NOT NULL DEFAULT 0,   -- failed polls in a row
  next_poll_at TEXT,                     -- not polled before this; empty after a first poll: never again
  last_polled_at TEXT,                   -- last attempt
  last_ok_at TEXT,                       -- last attempt that was read
  newest_item_at TEXT,                   -- date of the newest item it ever gave
  usual_gap_hours REAL,                  -- its usual time between new items, from its own history
  hints TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(hints)), -- its own ttl, hours and days to skip
  created_at TEXT NOT NULL               -- first seen in the configuration
) STRICT;
CREATE TABLE fetches ( -- what is remembered of each URL, for conditional requests
  url TEXT PRIMARY KEY,                  -- exactly as requested
  etag TEXT NOT NULL DEFAULT '',         -- byte for byte, with quotes and W/
  last_modified TEXT NOT NULL DEFAULT '', -- byte for byte
  body_sha256 TEXT NOT NULL DEFAULT '',  -- of the last body, to see "200 but unchanged"
  fetched_at TEXT NOT NULL               -- last answer
) STRICT;
CREATE TABLE items ( -- everything ever seen, with its outcome and the reason for it
  id INTEGER PRIMARY KEY,                -- number of the item everywhere else
  source_id TEXT NOT NULL REFERENCES sources(id), -- the source that showed it first
  identity TEXT NOT NULL UNIQUE,         -- canonical URL, else source and guid: one article, one item
  url TEXT NOT NULL DEFAULT '',          -- as the source gave it
  canonical_url TEXT NOT NULL DEFAULT '', -- without tracking, for comparison; empty: it is the identity
  title TEXT NOT NULL DEFAULT '',        -- as the source gave it
  summary TEXT NOT NULL DEFAULT '',      -- the source's own teaser
  content TEXT NOT NULL DEFAULT '',      -- the source's own full text, emptied once processed
  lang TEXT NOT NULL DEFAULT '',         -- as the source says, often empty
  author TEXT NOT NULL DEFAULT '',       -- as the source says
  outlet TEXT NOT NULL DEFAULT '',       -- publisher named by a search feed
  published_at TEXT,                     -- as the source dates it
  first_seen_at TEXT NOT NULL,           -- when a poll first showed it
  status TEXT NOT NULL DEFAULT 'pending', -- pending or done
  outcome TEXT NOT NULL DEFAULT '',      -- match, near-miss, no-match, too-old, unreadable or skipped
  reason TEXT NOT NULL DEFAULT '',       -- why, in words
  extract_status TEXT NOT NULL DEFAULT '', -- ok, empty, unreadable, timeout or not-html
  attempts INTEGER NOT NULL DEFAULT 0,   -- tries to fetch and read the page
  first_try_at TEXT,                     -- the first of them
  next_try_at TEXT,                      -- not tried again before this
  processed_at TEXT                      -- when it got its outcome
) STRICT;
CREATE TABLE sightings ( -- every place an item was seen: one article in five feeds is one item, five rows
  source_id TEXT NOT NULL REFERENCES sources(id), -- who showed it
  guid TEXT NOT NULL,                    -- the id the source gave it
  item_id INTEGER NOT NULL REFERENCES items(id) ON DELETE CASCADE, -- what it turned out to be
  url TEXT NOT NULL DEFAULT '',          -- as that source gave it; empty: as in items
  seen_at TEXT NOT NULL,                 -- the first time
  PRIMARY KEY (source_id, guid, item_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE articles ( -- text of matches and near misses: for analysis here, never sent in full
  item_id INTEGER PRIMARY KEY REFERENCES items(id) ON DELETE CASCADE, -- the item it is the text of
  url TEXT NOT NULL,                     -- where the text was read, after redirects
  title TEXT NOT NULL DEFAULT '',        -- as the page says, else the item's
  text TEXT NOT NULL DEFAULT '',         -- a paragraph to a line; emptied when retention says so
  lang TEXT NOT NULL DEFAULT '',         -- en, ja or other
  author TEXT NOT NULL DEFAULT '',       -- as the page says
  published TEXT NOT NULL DEFAULT '',    -- as the page says, with its own offset
  published_at TEXT,                     -- the same in UTC
  label TEXT NOT NULL DEFAULT 'article', -- article, teaser, json-ld or feed: where the text is from
  text_sha256 TEXT NOT NULL DEFAULT '',  -- of the normalised text
  extracted_at TEXT NOT NULL             -- when the page was read
) STRICT;
CREATE TABLE verdicts ( -- what the rules said of an item; the newest row of an item counts
  id INTEGER PRIMARY KEY,                -- rising: the highest of an item is the newest
  item_id INTEGER NOT NULL REFERENCES items(id) ON DELETE CASCADE, -- what was judged
  decided_at TEXT NOT NULL,              -- when
  rules_version TEXT NOT NULL DEFAULT '', -- hash of the rules and concepts that decided
  basis TEXT NOT NULL DEFAULT 'page',    -- page, feed or teaser: which text was read
  match INTEGER NOT NULL,                -- 1 or 0
  near_miss INTEGER NOT NULL,            -- 1 or 0
  score REAL NOT NULL,                   -- sum of the weights in verdict_parts
  priority TEXT,                         -- high, normal or low; empty unless it matched
  event TEXT,                            -- agreement, funding, visit-talks … or empty
  corridors TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(corridors)), -- ["uk-japan", "us-japan"]
  topics TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(topics)), -- ["semiconductors", …]
  rules TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(rules)), -- ids of the rules that held
  organisations TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(organisations)), -- canonical names
  programmes TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(programmes)), -- canonical names
  amounts TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(amounts)), -- [{text, currency, value}]
  evidence TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(evidence)), -- [{field, start, end, quote, rule}]
  why TEXT NOT NULL DEFAULT ''           -- one line for people
) STRICT;
CREATE TABLE verdict_parts ( -- the addends of a score, one row each
  verdict_id INTEGER NOT NULL REFERENCES verdicts(id) ON DELETE CASCADE, -- the sum
  n INTEGER NOT NULL,                    -- order within the verdict
  rule TEXT NOT NULL,                    -- id of the rule
  label TEXT NOT NULL,                   -- what it was given for
  weight REAL NOT NULL,                  -- added to the score, negative for a deduction
  field TEXT NOT NULL DEFAULT '',        -- title or text, with code-point offsets into it
  start INTEGER NOT NULL DEFAULT 0,      -- first character of the place
  "end" INTEGER NOT NULL DEFAULT 0,      -- one past its last
  quote TEXT NOT NULL DEFAULT '',        -- what stands there
  PRIMARY KEY (verdict_id, n)
) STRICT, WITHOUT ROWID;
CREATE TABLE stories ( -- one row per story: the same news in any number of outlets and languages
  id INTEGER PRIMARY KEY,                -- story_id everywhere else
  title TEXT NOT NULL DEFAULT '',        -- of the leading article
  lead_match_id INTEGER,                 -- official source first, then earliest
  first_at TEXT NOT NULL,                -- when its first article was matched
  updated_at TEXT NOT NULL,              -- when its last article was matched
  outlets INTEGER NOT NULL DEFAULT 1     -- how many outlets carry it
) STRICT;
CREATE TABLE matches ( -- what the rules let through
  id INTEGER PRIMARY KEY,                -- match_id everywhere else
  item_id INTEGER NOT NULL UNIQUE REFERENCES items(id) ON DELETE CASCADE, -- what matched
  verdict_id INTEGER NOT NULL REFERENCES verdicts(id) ON DELETE CASCADE, -- why
  story_id INTEGER NOT NULL REFERENCES stories(id), -- what it is a report of
  matched_at TEXT NOT NULL,              -- when it was stored
  alert INTEGER NOT NULL DEFAULT 1       -- 0: stored without alerting (backfill, changed rules)
) STRICT;
CREATE TABLE fingerprints ( -- what stories are compared by
  match_id INTEGER PRIMARY KEY REFERENCES matches(id) ON DELETE CASCADE, -- whose
  at TEXT NOT NULL,                      -- when the article was published, else seen
  canonical_url TEXT NOT NULL DEFAULT '', -- of the page that was read
  text_sha256 TEXT NOT NULL DEFAULT '',  -- of the normalised text
  simhash TEXT NOT NULL,                 -- 64 bits, hexadecimal
  features TEXT NOT NULL CHECK (json_valid(features)) -- organisations, amounts, dates … of the article
) STRICT;
CREATE TABLE fingerprint_bands ( -- look-up of near-identical texts: equal bands make a candidate
  band INTEGER NOT NULL,                 -- a piece of the simhash with its place
  match_id INTEGER NOT NULL REFERENCES matches(id) ON DELETE CASCADE, -- whose
  PRIMARY KEY (band, match_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE story_joins ( -- why each match joined its story, and which stories it was kept out of
  id INTEGER PRIMARY KEY,                -- in the order of the decisions
  match_id INTEGER NOT NULL REFERENCES matches(id) ON DELETE CASCADE, -- the newcomer
  other_match_id INTEGER,                -- the article it was compared with
  decision TEXT NOT NULL,                -- new, joined or vetoed
  score REAL NOT NULL DEFAULT 0,         -- likeness, 0 to 1
  reason TEXT NOT NULL,                  -- in words
  decided_at TEXT NOT NULL               -- when
) STRICT;
CREATE TABLE digest_state ( -- how far each digest has come
  name TEXT PRIMARY KEY,                 -- as in config/digests.yaml
  configured_at TEXT NOT NULL,           -- its first window starts here
  watermark_at TEXT NOT NULL,            -- everything before this has been composed
  last_fire_at TEXT                      -- the last scheduled time that was served
) STRICT;
CREATE TABLE digests ( -- every digest ever composed
  id TEXT PRIMARY KEY,                   -- deterministic: name, kind and window
  name TEXT NOT NULL,                    -- as in config/digests.yaml
  kind TEXT NOT NULL,                    -- scheduled, immediate, weekly, first-look or requested
  window_start TEXT NOT NULL,            -- matches after this
  window_end TEXT NOT NULL,              -- up to this
  composed_at TEXT NOT NULL,             -- when it was written
  subject TEXT NOT NULL DEFAULT '',      -- its subject line
  stories INTEGER NOT NULL               -- how many stories it shows
) STRICT;
CREATE TABLE digest_claims ( -- which match went into which digest: claimed once per digest name
  digest_name TEXT NOT NULL,             -- as in config/digests.yaml
  match_id INTEGER NOT NULL REFERENCES matches(id) ON DELETE CASCADE, -- what was reported
  digest_id TEXT NOT NULL REFERENCES digests(id), -- where
  story_id INTEGER NOT NULL,             -- as part of which story
  role TEXT NOT NULL DEFAULT 'new',      -- new, update, overflow ("n more") or filtered (not for it)
  PRIMARY KEY (digest_name, match_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE outbox ( -- one row per message and recipient, written with the claims in one transaction
  id INTEGER PRIMARY KEY,                -- for outbox retry and drop
  key TEXT NOT NULL UNIQUE,              -- deterministic per digest, channel and recipient
  digest_id TEXT NOT NULL,               -- the digest it carries
  digest_name TEXT NOT NULL,             -- as in config/digests.yaml
  channel TEXT NOT NULL,                 -- name in config/monitor.yaml
  kind TEXT NOT NULL,                    -- file, email, slack, webhook or apprise
  recipient TEXT NOT NULL DEFAULT '',    -- address, channel or folder
  subject TEXT NOT NULL DEFAULT '',      -- its subject line
  payload TEXT NOT NULL CHECK (json_valid(payload)), -- frozen when composed
  message_id TEXT NOT NULL DEFAULT '',   -- the e-mail Message-ID, the same on every try
  status TEXT NOT NULL DEFAULT 'pending', -- pending, sending, retry, sent, dead or dropped
  attempts INTEGER NOT NULL DEFAULT 0,   -- tries so far, the one under way included
  created_at TEXT NOT NULL,              -- when it was composed
  retry_at TEXT,                         -- not tried again before this
  lease_until TEXT,                      -- while sending: whose turn it is until when
  sent_at TEXT,                          -- when the receiver took it
  response TEXT NOT NULL DEFAULT '',     -- what the receiver said
  error TEXT NOT NULL DEFAULT ''         -- why the last try failed
) STRICT;
CREATE TABLE feedback ( -- what people thought of a match, a near miss or a missed article
  id INTEGER PRIMARY KEY,                -- in the order given
  item_id INTEGER,                       -- empty for an article the monitor never saw
  url TEXT NOT NULL DEFAULT '',          -- of the article
  judgement TEXT NOT NULL CHECK (judgement IN ('good', 'bad', 'missed')), -- good, bad or missed
  note TEXT NOT NULL DEFAULT '',         -- in the reader's words
  created_at TEXT NOT NULL               -- when
) STRICT;
CREATE TABLE runs ( -- one row per cycle of work, with its report
  id INTEGER PRIMARY KEY,                -- in order
  kind TEXT NOT NULL,                    -- cycle, poll, process, compose, flush or backfill
  started_at TEXT NOT NULL,              -- when it began
  ended_at TEXT NOT NULL,                -- when it was done
  ok INTEGER NOT NULL,                   -- 1: the work was done, 0: it failed
  report TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(report)) -- counts and what failed
) STRICT;
CREATE TABLE state ( -- small facts of the service: heartbeat, first start, operator alerts already told
  key TEXT PRIMARY KEY,                  -- its name
  value TEXT NOT NULL,                   -- as text
  at TEXT NOT NULL                       -- when it was last written
) STRICT;
CREATE VIRTUAL TABLE search USING fts5( -- full-text index of articles, English and Japanese
  text,                                  -- article
  title,                                 -- headline; both are empty to look at: only the index is stored
  content='', tokenize='unicode61 remove_diacritics 2'
);
DELETE FROM search_data;
DELETE FROM search_idx;
DELETE FROM search_docsize;
DELETE FROM search_config;
INSERT INTO _sqlite_migrations VALUES (1, 'monitor', 'v1', '2026-11-26 22:53:50.521484+00:00');
INSERT INTO _sqlite_migrations VALUES (2, 'monitor', 'v2', '2026-11-26 22:53:50.573248+00:00');
INSERT INTO sources VALUES ('meti', 'METI', 'feed', 'https://www.meti.go.jp/rss', '', 0, NULL, '', 'jp', '', '', 'official', '{"id":"meti","url":"https://www.meti.go.jp/rss","name":"METI","kind":"feed","homepage":"","country":"jp","lang":"","category":"","authority":"official","poll_minutes":60,"selector":"","link_pattern":"","timezone":"","allow_private":false,"full_text":false,"terms":"","enabled":true}', 1, 'ok', '2026-05-04T08:00:00Z', '', 0, '2026-05-04T09:00:00Z', '2026-05-04T08:00:00Z', '2026-05-04T08:00:00Z', NULL, NULL, '{}', '2026-05-01T08:00:00Z');
INSERT INTO sources VALUES ('bbc', 'BBC', 'feed', 'https://www.bbc.co.uk/rss', '', 0, NULL, '', 'uk', 'en', '', 'press', '{"id":"bbc","url":"https://www.bbc.co.uk/rss","name":"BBC","kind":"feed","homepage":"","country":"uk","lang":"en","category":"","authority":"press","poll_minutes":60,"selector":"","link_pattern":"","timezone":"","allow_private":false,"full_text":false,"terms":"","enabled":true}', 1, 'ok', '2026-05-04T08:00:00Z', '', 0, '2026-05-04T09:00:00Z', '2026-05-04T08:00:00Z', '2026-05-04T08:00:00Z', NULL, NULL, '{}', '2026-05-01T08:00:00Z');
INSERT INTO sources VALUES ('nikkei', '日経', 'feed', 'https://www.nikkei.com/rss', '', 0, NULL, '', 'jp', 'ja', '', 'press', '{"id":"nikkei","url":"https://www.nikkei.com/rss","name":"日経","kind":"feed","homepage":"","country":"jp","lang":"ja","category":"","authority":"press","poll_minutes":60,"selector":"","link_pattern":"","timezone":"","allow_private":false,"full_text":false,"terms":"","enabled":true}', 1, 'ok', '2026-05-04T08:00:00Z', '', 0, '2026-05-04T09:00:00Z', '2026-05-04T08:00:00Z', '2026-05-04T08:00:00Z', NULL, NULL, '{}', '2026-05-01T08:00:00Z');
INSERT INTO sources VALUES ('gnews', 'News search', 'feed', 'https://news.google.com/rss', '', 0, NULL, '', '', '', '', 'aggregator', '{"id":"gnews","url":"https://news.google.com/rss","name":"News search","kind":"feed","homepage":"","country":"","lang":"","category":"","authority":"aggregator","poll_minutes":60,"selector":"","link_pattern":"","timezone":"","allow_private":false,"full_text":false,"terms":"","enabled":true}', 1, 'new', '2026-05-01T08:00:00Z', '', 0, '2026-05-01T08:00:00Z', NULL, NULL, NULL, NULL, '{}', '2026-05-01T08:00:00Z');
INSERT INTO fetches VALUES ('https://www.bbc.co.uk/rss', '"a"', '', '', '2026-05-04T08:00:00Z');
INSERT INTO items VALUES (1, 'meti', 'https://meti.example/1', 'https://meti.example/1?utm_source=rss', '', 'Headline 1', 'Teaser 1', '', 'en', '', '', '2026-05-04T07:00:00Z', '2026-05-04T08:00:00Z', 'done', 'match', '', 'ok', 1, '2026-05-04T08:00:00Z', NULL, '2026-05-04T08:00:00Z');
INSERT INTO items VALUES (2, 'nikkei', 'https://nikkei.example/2', 'https://nikkei.example/2?utm_source=rss', '', 'Headline 2', 'Teaser 2', '', 'en', '', '', '2026-05-04T07:00:00Z', '2026-05-04T08:00:00Z', 'done', 'match', '', 'ok', 1, '2026-05-04T08:00:00Z', NULL, '2026-05-04T08:00:00Z');
INSERT INTO items VALUES (3, 'bbc', 'https://bbc.example/3', 'https://bbc.example/3?utm_source=rss', '', 'Headline 3', 'Teaser 3', '', 'en', '', '', '2026-05-04T07:00:00Z', '2026-05-04T08:00:00Z', 'done', 'near-miss', '1 short of the threshold', 'ok', 1, '2026-05-04T08:00:00Z', NULL, '2026-05-04T08:00:00Z');
INSERT INTO items VALUES (4, 'bbc', 'https://bbc.example/4', 'https://bbc.example/4?utm_source=rss', '', 'Headline 4', 'Teaser 4', 'waits', 'en', '', '', '2026-05-04T07:00:00Z', '2026-05-04T08:00:00Z', 'pending', '', '', '', 0, NULL, NULL, NULL);
INSERT INTO sightings VALUES ('bbc', 'guid-3', 3, '', '2026-05-04T08:00:00Z');
INSERT INTO sightings VALUES ('bbc', 'guid-4', 4, '', '2026-05-04T08:00:00Z');
INSERT INTO sightings VALUES ('meti', 'guid-1', 1, '', '2026-05-04T08:00:00Z');
INSERT INTO sightings VALUES ('nikkei', 'guid-2', 2, '', '2026-05-04T08:00:00Z');
INSERT INTO articles VALUES (1, 'https://meti.example/1', '英国と日本', '日英両政府は半導体で合意した。', 'ja', '', '', '2026-05-04T07:00:00Z', 'article', 'e6959067226a03295f446d4f4b910297a17a982685f0f8c3db2bf286d8cc5c1c', '2026-05-04T08:00:00Z');
INSERT INTO articles VALUES (2, 'https://nikkei.example/2', 'Headline 2', 'Japan and the UK agree on chips, says report 2 of 日経.', 'en', '', '', '2026-05-04T07:00:00Z', 'article', 'b192ed175f03a9fb4c6063dfa712c31f30447421ef68f289434f5916f35c7ab1', '2026-05-04T08:00:00Z');
INSERT INTO articles VALUES (3, 'https://bbc.example/3', 'Headline 3', 'Japan and the UK agree on chips, says report 3 of BBC.', 'en', '', '', '2026-05-04T07:00:00Z', 'article', '614324ec37f8a44b875b969472c7df8f39cfa3fc3209a7a98b3450d3163f472a', '2026-05-04T08:00:00Z');
INSERT INTO verdicts VALUES (1, 1, '2026-05-04T08:00:00Z', 'abc', 'page', 1, 0, 6.0, 'normal', 'agreement', '["uk-japan"]', '["semiconductors"]', '["uk-japan-chips"]', '["Rapidus"]', '["GCAP"]', '[{"text":"£3 million","currency":"GBP","value":3000000.0}]', '[{"field":"text","start":0,"end":5,"quote":"日英半導体","rule":"uk-japan-chips"}]', '+4 title: Rapidus; +2 日英 near 半導体');
INSERT INTO verdicts VALUES (2, 2, '2026-05-04T08:00:00Z', 'abc', 'page', 1, 0, 6.0, 'normal', 'agreement', '["uk-japan"]', '["semiconductors"]', '["uk-japan-chips"]', '["Rapidus"]', '[]', '[]', '[{"field":"text","start":0,"end":5,"quote":"日英半導体","rule":"uk-japan-chips"}]', '+4 title: Rapidus; +2 日英 near 半導体');
INSERT INTO verdicts VALUES (3, 3, '2026-05-04T08:00:00Z', 'abc', 'page', 0, 1, 6.0, NULL, 'agreement', '["uk-japan"]', '["semiconductors"]', '["uk-japan-chips"]', '["Rapidus"]', '[]', '[]', '[{"field":"text","start":0,"end":5,"quote":"日英半導体","rule":"uk-japan-chips"}]', '+4 title: Rapidus; +2 日英 near 半導体');
INSERT INTO verdict_parts VALUES (1, 0, 'uk-japan-chips', 'title: Rapidus', 4.0, 'title', 0, 7, 'Rapidus');
INSERT INTO verdict_parts VALUES (1, 1, 'uk-japan-chips', '日英 near 半導体', 2.0, 'text', 0, 5, '日英半導体');
INSERT INTO verdict_parts VALUES (2, 0, 'uk-japan-chips', 'title: Rapidus', 4.0, 'title', 0, 7, 'Rapidus');
INSERT INTO verdict_parts VALUES (2, 1, 'uk-japan-chips', '日英 near 半導体', 2.0, 'text', 0, 5, '日英半導体');
INSERT INTO verdict_parts VALUES (3, 0, 'uk-japan-chips', 'title: Rapidus', 4.0, 'title', 0, 7, 'Rapidus');
INSERT INTO verdict_parts VALUES (3, 1, 'uk-japan-chips', '日英 near 半導体', 2.0, 'text', 0, 5, '日英半導体');
INSERT INTO stories VALUES (1, '英国と日本', 1, '2026-05-04T08:00:00Z', '2026-05-04T08:00:00Z', 2);
INSERT INTO matches VALUES (1, 1, 1, 1, '2026-05-04T08:00:00Z', 1);
INSERT INTO matches VALUES (2, 2, 2, 1, '2026-05-04T08:00:00Z', 1);
INSERT INTO fingerprints VALUES (1, '2026-05-04T07:00:00Z', 'https://meti.example/1', 'e6959067226a03295f446d4f4b910297a17a982685f0f8c3db2bf286d8cc5c1c', 'e6959067226a0329', '{"bands":[809,74346,168039,255637],"organisations":["Rapidus"],"amounts":[{"text":"£3 million","currency":"GBP","value":3000000.0}]}');
INSERT INTO fingerprints VALUES (2, '2026-05-04T07:00:00Z', 'https://nikkei.example/2', 'b192ed175f03a9fb4c6063dfa712c31f30447421ef68f289434f5916f35c7ab1', 'b192ed175f03a9fb', '{"bands":[43515,89859,191767,242066],"organisations":["Rapidus"]}');
INSERT INTO fingerprint_bands VALUES (809, 1);
INSERT INTO fingerprint_bands VALUES (74346, 1);
INSERT INTO fingerprint_bands VALUES (168039, 1);
INSERT INTO fingerprint_bands VALUES (255637, 1);
INSERT INTO fingerprint_bands VALUES (43515, 2);
INSERT INTO fingerprint_bands VALUES (89859, 2);
INSERT INTO fingerprint_bands VALUES (191767, 2);
INSERT INTO fingerprint_bands VALUES (242066, 2);
INSERT INTO story_joins VALUES (1, 2, 1, 'joined', 0.7, 'shares Rapidus', '2026-05-04T08:00:00Z');
INSERT INTO digest_state VALUES ('london', '2026-05-03T08:00:00Z', '2026-05-04T09:00:00Z', '2026-05-04T09:00:00Z');
INSERT INTO digests VALUES ('london|scheduled|2026-05-04T09:00:00Z', 'london', 'scheduled', '2026-05-03T08:00:00Z', '2026-05-04T09:00:00Z', '2026-05-04T09:00:00Z', '3 stories', 1);
INSERT INTO digest_claims VALUES ('london', 1, 'london|scheduled|2026-05-04T09:00:00Z', 1, 'new');
INSERT INTO digest_claims VALUES ('london', 2, 'london|scheduled|2026-05-04T09:00:00Z', 1, 'new');
INSERT INTO outbox VALUES (1, 'london|scheduled|2026-05-04T09:00:00Z|desk@example.org', 'london|scheduled|2026-05-04T09:00:00Z', 'london', 'mail', 'email', 'desk@example.org', '3 stories', '{"text":"日英"}', '<london|scheduled|2026-05-04T09:00:00Z.desk@example.org>', 'sent', 1, '2026-05-04T09:00:00Z', NULL, NULL, '2026-05-04T09:00:00Z', '250 ok', '');
INSERT INTO feedback VALUES (1, 1, '', 'good', 'as wanted', '2026-05-04T08:00:00Z');
INSERT INTO runs VALUES (1, 'cycle', '2026-05-04T08:00:00Z', '2026-05-04T08:00:09Z', 1, '{}');
INSERT INTO state VALUES ('first_look', 'yes', '2026-05-04T08:00:00Z');
INSERT INTO search_data VALUES (1, X'031D08');
INSERT INTO search_data VALUES (10, X'000000000103030003010101020101030101');
INSERT INTO search_data VALUES (137438953473, X'000000740430E3819701020C03019F01020D0103E4B8A10102040202BD930102090103E58D8A0102070202908801020A02029BBD01060101030202B08E0102080202BA9C0102060103E6848F01020B020294BF010205020297A501080201010402029CAC01060101050103E88BB10108030101020408060807080709070708070A09');
INSERT INTO search_data VALUES (274877906945, X'0000006502303202080801010301056167726565020204010563686970730202050108686561646C696E65020601010201056A6170616E02020201067265706F72740202070104736179730202060102756B0202030103E697A50202090103E7B58C02020A04090A0A0F0A0B090708');
INSERT INTO search_data VALUES (412316860417, X'0000005D023033030808010103010561677265650302040103626263030209010563686970730302050108686561646C696E65030601010201056A6170616E03020201067265706F72740302070104736179730302060102756B03020304090A080A0F0A0B09');
INSERT INTO search_idx VALUES (1, X'', 2);
INSERT INTO search_idx VALUES (2, X'', 2);
INSERT INTO search_idx VALUES (3, X'', 2);
INSERT INTO search_docsize VALUES (1, X'0C04');
INSERT INTO search_docsize VALUES (2, X'0902');
INSERT INTO search_docsize VALUES (3, X'0802');
INSERT INTO search_config VALUES ('version', 4);
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX items_pending ON items(next_try_at) WHERE status = 'pending';
CREATE INDEX items_source ON items(source_id, published_at);
CREATE INDEX items_matched ON items(source_id) WHERE outcome = 'match';
CREATE INDEX items_near ON items(processed_at) WHERE outcome = 'near-miss';
CREATE INDEX sightings_item ON sightings(item_id);
CREATE INDEX verdicts_item ON verdicts(item_id);
CREATE INDEX matches_story ON matches(story_id);
CREATE INDEX matches_at ON matches(matched_at);
CREATE INDEX matches_verdict ON matches(verdict_id);
CREATE INDEX fingerprints_at ON fingerprints(at);
CREATE INDEX fingerprints_url ON fingerprints(canonical_url) WHERE canonical_url <> '';
CREATE INDEX fingerprints_text ON fingerprints(text_sha256) WHERE text_sha256 <> '';
CREATE INDEX fingerprint_bands_match ON fingerprint_bands(match_id);
CREATE INDEX story_joins_match ON story_joins(match_id);
CREATE INDEX digests_name ON digests(name, composed_at);
CREATE INDEX digest_claims_story ON digest_claims(digest_name, story_id);
CREATE INDEX digest_claims_match ON digest_claims(match_id);
CREATE INDEX outbox_due ON outbox(status, retry_at);
CREATE INDEX outbox_digest ON outbox(digest_id);
CREATE INDEX feedback_item ON feedback(item_id);
CREATE INDEX runs_kind ON runs(kind, started_at);
CREATE VIEW matches_view AS -- one flat row per match, newest first: start here
  SELECT
    m.id AS id,                          -- number of the match
    m.item_id AS item_id,                -- for monitor explain and feedback
    m.matched_at AS matched_at,          -- when it was stored
    coalesce(a.published_at, i.published_at) AS published_at, -- as the page, else the source, dates it
    CASE WHEN s.authority = 'aggregator' AND i.outlet <> '' THEN i.outlet
      WHEN s.name <> '' THEN s.name ELSE s.id END AS source,                  -- name of the source, or the publisher a search feed names
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
    CASE WHEN s.authority = 'aggregator' AND i.outlet <> '' THEN i.outlet
      WHEN s.name <> '' THEN s.name ELSE s.id END AS source,                  -- name of the source, or the publisher a search feed names
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
CREATE INDEX digest_claims_digest ON digest_claims(digest_id);
CREATE INDEX outbox_created ON outbox(created_at);
COMMIT;
