"""The schema, as readable SQL. Comments after `--` become the data dictionary in storage/README.md.

One constant per migration, applied in order when the file is opened (`migrations.py`); never edited
after a release. Views are in `views.py`.
"""

from __future__ import annotations

V1 = """
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
CREATE INDEX items_pending ON items(next_try_at) WHERE status = 'pending';
CREATE INDEX items_source ON items(source_id, published_at);
CREATE INDEX items_matched ON items(source_id) WHERE outcome = 'match';
CREATE INDEX items_near ON items(processed_at) WHERE outcome = 'near-miss';

CREATE TABLE sightings ( -- every place an item was seen: one article in five feeds is one item, five rows
  source_id TEXT NOT NULL REFERENCES sources(id), -- who showed it
  guid TEXT NOT NULL,                    -- the id the source gave it
  item_id INTEGER NOT NULL REFERENCES items(id) ON DELETE CASCADE, -- what it turned out to be
  url TEXT NOT NULL DEFAULT '',          -- as that source gave it; empty: as in items
  seen_at TEXT NOT NULL,                 -- the first time
  PRIMARY KEY (source_id, guid, item_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX sightings_item ON sightings(item_id);

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
CREATE INDEX verdicts_item ON verdicts(item_id);

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
CREATE INDEX matches_story ON matches(story_id);
CREATE INDEX matches_at ON matches(matched_at);
CREATE INDEX matches_verdict ON matches(verdict_id);

CREATE TABLE fingerprints ( -- what stories are compared by
  match_id INTEGER PRIMARY KEY REFERENCES matches(id) ON DELETE CASCADE, -- whose
  at TEXT NOT NULL,                      -- when the article was published, else seen
  canonical_url TEXT NOT NULL DEFAULT '', -- of the page that was read
  text_sha256 TEXT NOT NULL DEFAULT '',  -- of the normalised text
  simhash TEXT NOT NULL,                 -- 64 bits, hexadecimal
  features TEXT NOT NULL CHECK (json_valid(features)) -- organisations, amounts, dates … of the article
) STRICT;
CREATE INDEX fingerprints_at ON fingerprints(at);
CREATE INDEX fingerprints_url ON fingerprints(canonical_url) WHERE canonical_url <> '';
CREATE INDEX fingerprints_text ON fingerprints(text_sha256) WHERE text_sha256 <> '';

CREATE TABLE fingerprint_bands ( -- look-up of near-identical texts: equal bands make a candidate
  band INTEGER NOT NULL,                 -- a piece of the simhash with its place
  match_id INTEGER NOT NULL REFERENCES matches(id) ON DELETE CASCADE, -- whose
  PRIMARY KEY (band, match_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX fingerprint_bands_match ON fingerprint_bands(match_id);

CREATE TABLE story_joins ( -- why each match joined its story, and which stories it was kept out of
  id INTEGER PRIMARY KEY,                -- in the order of the decisions
  match_id INTEGER NOT NULL REFERENCES matches(id) ON DELETE CASCADE, -- the newcomer
  other_match_id INTEGER,                -- the article it was compared with
  decision TEXT NOT NULL,                -- new, joined or vetoed
  score REAL NOT NULL DEFAULT 0,         -- likeness, 0 to 1
  reason TEXT NOT NULL,                  -- in words
  decided_at TEXT NOT NULL               -- when
) STRICT;
CREATE INDEX story_joins_match ON story_joins(match_id);

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
CREATE INDEX digests_name ON digests(name, composed_at);

CREATE TABLE digest_claims ( -- which match went into which digest: claimed once per digest name
  digest_name TEXT NOT NULL,             -- as in config/digests.yaml
  match_id INTEGER NOT NULL REFERENCES matches(id) ON DELETE CASCADE, -- what was reported
  digest_id TEXT NOT NULL REFERENCES digests(id), -- where
  story_id INTEGER NOT NULL,             -- as part of which story
  role TEXT NOT NULL DEFAULT 'new',      -- new, update, overflow ("n more") or filtered (not for it)
  PRIMARY KEY (digest_name, match_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX digest_claims_story ON digest_claims(digest_name, story_id);
CREATE INDEX digest_claims_match ON digest_claims(match_id);

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
CREATE INDEX outbox_due ON outbox(status, retry_at);
CREATE INDEX outbox_digest ON outbox(digest_id);

CREATE TABLE feedback ( -- what people thought of a match, a near miss or a missed article
  id INTEGER PRIMARY KEY,                -- in the order given
  item_id INTEGER,                       -- empty for an article the monitor never saw
  url TEXT NOT NULL DEFAULT '',          -- of the article
  judgement TEXT NOT NULL CHECK (judgement IN ('good', 'bad', 'missed')), -- good, bad or missed
  note TEXT NOT NULL DEFAULT '',         -- in the reader's words
  created_at TEXT NOT NULL               -- when
) STRICT;
CREATE INDEX feedback_item ON feedback(item_id);

CREATE TABLE runs ( -- one row per cycle of work, with its report
  id INTEGER PRIMARY KEY,                -- in order
  kind TEXT NOT NULL,                    -- cycle, poll, process, compose, flush or backfill
  started_at TEXT NOT NULL,              -- when it began
  ended_at TEXT NOT NULL,                -- when it was done
  ok INTEGER NOT NULL,                   -- 1: the work was done, 0: it failed
  report TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(report)) -- counts and what failed
) STRICT;
CREATE INDEX runs_kind ON runs(kind, started_at);

CREATE TABLE state ( -- small facts of the service: heartbeat, first start, operator alerts already told
  key TEXT PRIMARY KEY,                  -- its name
  value TEXT NOT NULL,                   -- as text
  at TEXT NOT NULL                       -- when it was last written
) STRICT;

-- FTS5 with the stock tokenizer over a copy of the text in which Chinese and Japanese characters are
-- split by blanks (words.py). Only the index is stored, not the copy: the application fills it, and
-- deletes by giving the old text again. rowid is articles.item_id.
CREATE VIRTUAL TABLE search USING fts5( -- full-text index of articles, English and Japanese
  title,                                 -- headline
  text,                                  -- article; both are empty to look at: only the index is stored
  content='', tokenize='unicode61 remove_diacritics 2'
);
"""

# FTS5 notes the column with every word of every article but for the first column's: the text comes first,
# which is a third of the index. `words()` is words.split.
V2 = """
DROP TABLE search;
CREATE VIRTUAL TABLE search USING fts5( -- full-text index of articles, English and Japanese
  text,                                  -- article
  title,                                 -- headline; both are empty to look at: only the index is stored
  content='', tokenize='unicode61 remove_diacritics 2'
);
INSERT INTO search (rowid, text, title) SELECT item_id, words(text), words(title) FROM articles;
INSERT INTO search (search) VALUES ('optimize');

CREATE INDEX digest_claims_digest ON digest_claims(digest_id);
CREATE INDEX outbox_created ON outbox(created_at);
"""
