-- What was refused: one row per record, with the reason, and with nothing of a person in it.
CREATE TABLE IF NOT EXISTS ${database}.dead_letters ${on_cluster} (
  topic LowCardinality(String),
  incarnation UInt32,
  partition UInt16,
  offset UInt64,
  arrived_at DateTime64(3, 'UTC') COMMENT 'Kafka''s timestamp of the record',
  reason LowCardinality(String) COMMENT 'closed list: schemas.reason.Reason',
  message String COMMENT 'the validator''s own words, without the input',
  format LowCardinality(String) COMMENT 'format that was recognised; empty if none',
  school LowCardinality(String) COMMENT 'UAI or structure id if it could be read; empty if not',
  payload String COMMENT 'what the allow-list lets through, as JSON; ids are pseudonyms',
  payload_bytes UInt32 COMMENT 'length of the record''s value',
  payload_sha256 String COMMENT 'SHA-256 of the record''s value under the pseudonym key, in hex')
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY toYYYYMM(arrived_at)
ORDER BY (topic, incarnation, partition, offset);

CREATE VIEW IF NOT EXISTS ${database}.v_dead_letters ${on_cluster} AS SELECT * FROM ${database}.dead_letters FINAL;

-- Offsets that hold no event for us and yet are no error, as half-open ranges.
CREATE TABLE IF NOT EXISTS ${database}.dropped ${on_cluster} (
  topic LowCardinality(String),
  incarnation UInt32,
  partition UInt16,
  first UInt64 COMMENT 'first offset of the range',
  next UInt64 COMMENT 'first offset after the range',
  reason LowCardinality(String) COMMENT 'closed list: schemas.reason.Drop')
ENGINE = ${replicated}ReplacingMergeTree
ORDER BY (topic, incarnation, partition, first, next, reason);
