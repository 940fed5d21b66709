-- What it takes to mend: dead letters know the event they would have been, and which event they became; events that the
-- directory did not know whole keep what they named; rejects are counted; files that were sent are remembered.

ALTER TABLE ${database}.dead_letters ${on_cluster}
  ADD COLUMN IF NOT EXISTS event_id String COMMENT 'identity of the event it would be, in hex; empty where it names none';

CREATE OR REPLACE VIEW ${database}.v_dead_letters ${on_cluster} AS SELECT * FROM ${database}.dead_letters FINAL;

ALTER TABLE ${database}.events ${on_cluster}
  ADD COLUMN IF NOT EXISTS named String
  COMMENT 'schools as sent and keyed hashes of classes, as JSON, while the directory does not know all of them; else empty';

CREATE OR REPLACE VIEW ${database}.v_events ${on_cluster} AS SELECT * FROM ${database}.events FINAL;

-- Dead letters that were replayed, with the key of the event each of them becomes. The old offset stays rejected.
CREATE TABLE IF NOT EXISTS ${database}.dead_letter_mends ${on_cluster} (
  topic LowCardinality(String),
  incarnation UInt32,
  partition UInt16,
  offset UInt64,
  event_id FixedString(16),
  event_time DateTime64(6, 'UTC'),
  event_school LowCardinality(String) COMMENT 'events.school',
  event_type LowCardinality(String),
  origin LowCardinality(String) COMMENT 'kafka: the original record; kept: the payload of the dead letter',
  sent_at DateTime64(3, 'UTC') COMMENT 'when Kafka had it on the backfill lane')
ENGINE = ${replicated}ReplacingMergeTree(sent_at)
ORDER BY (topic, incarnation, partition, offset);

-- Dead letters with what became of them: open, sent (on the backfill lane) or mended (its event is stored).
CREATE VIEW IF NOT EXISTS ${database}.v_mending ${on_cluster} AS
SELECT d.*, m.event_time AS event_time, m.event_school AS event_school, m.event_type AS event_type,
  m.event_id AS mended_by, m.origin AS origin, m.sent_at AS sent_at,
  multiIf(m.origin = '', 'open', (toStartOfMinute(m.event_time), m.event_school, m.event_type, m.event_id) IN (
    SELECT toStartOfMinute(event_time), school, type, event_id FROM ${database}.events
    WHERE event_id IN (SELECT event_id FROM ${database}.dead_letter_mends)), 'mended', 'sent') AS state
FROM (SELECT * FROM ${database}.dead_letters FINAL) AS d
LEFT JOIN (SELECT * FROM ${database}.dead_letter_mends FINAL) AS m USING (topic, incarnation, partition, offset);

-- Rejected records by school and reason, as sets of places: told twice, they count once.
CREATE TABLE IF NOT EXISTS ${database}.rejects_by_minute ${on_cluster} (
  minute DateTime('UTC') COMMENT 'of the arrival in Kafka',
  school LowCardinality(String) COMMENT 'empty where the record names none',
  reason LowCardinality(String),
  records AggregateFunction(uniqExact, UInt64) COMMENT 'hashes of topic, incarnation, partition and offset')
ENGINE = ${replicated}AggregatingMergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (minute, school, reason);

CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.rejects_counted ${on_cluster} TO ${database}.rejects_by_minute AS
SELECT toDateTime(toStartOfMinute(arrived_at), 'UTC') AS minute, school, reason,
  uniqExactState(cityHash64(topic, incarnation, partition, offset)) AS records
FROM ${database}.dead_letters GROUP BY minute, school, reason;

CREATE VIEW IF NOT EXISTS ${database}.v_rejects_by_minute ${on_cluster} AS
SELECT minute, school, reason, uniqExactMerge(records) AS records
FROM ${database}.rejects_by_minute GROUP BY minute, school, reason;

-- How far files were sent to the backfill lane of one log; the last line counts.
CREATE TABLE IF NOT EXISTS ${database}.backfills ${on_cluster} (
  digest FixedString(64) COMMENT 'SHA-256 of the file, in hex',
  incarnation UInt32 COMMENT 'of the log of the backfill topic',
  name String COMMENT 'of the file, for people',
  lines UInt64 COMMENT 'that Kafka has for certain',
  finished Bool,
  at DateTime64(6, 'UTC') COMMENT 'clock of the database')
ENGINE = ${replicated}ReplacingMergeTree(at)
ORDER BY (digest, incarnation);
