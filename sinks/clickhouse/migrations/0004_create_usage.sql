-- Windows: tumbling, in event time, recomputed as a whole from deduplicated events whenever one of their events came in.
-- A cell that has lost its events stays as a zero. events counts an event in each school of its user, events_once only in
-- the first: sum events within a school, events_once over schools. Distinct users are states: merge them, never add them.
-- Read them through the views, which have FINAL in them.

CREATE TABLE IF NOT EXISTS ${database}.usage_by_minute ${on_cluster} (
  slice DateTime('UTC') COMMENT 'start of the minute',
  uai LowCardinality(String),
  class_id LowCardinality(String),
  profile LowCardinality(String),
  type LowCardinality(String),
  events UInt64,
  events_once UInt64,
  recipients UInt64 COMMENT 'of notifications, counted with the first school, persons',
  users AggregateFunction(uniqExact, UInt64) COMMENT 'of user_key, nobody left out',
  version UInt64 COMMENT 'clock of the database before the pass that wrote it, microseconds')
ENGINE = ${replicated}ReplacingMergeTree(version)
PARTITION BY toYYYYMM(slice)
ORDER BY (slice, uai, class_id, profile, type);

CREATE VIEW IF NOT EXISTS ${database}.v_usage_by_minute ${on_cluster} AS
SELECT * EXCEPT version FROM ${database}.usage_by_minute FINAL WHERE events > 0;

CREATE TABLE IF NOT EXISTS ${database}.usage_by_hour ${on_cluster} (
  slice DateTime('UTC') COMMENT 'start of the hour',
  uai LowCardinality(String),
  class_id LowCardinality(String),
  profile LowCardinality(String),
  type LowCardinality(String),
  events UInt64,
  events_once UInt64,
  recipients UInt64 COMMENT 'of notifications, counted with the first school, persons',
  users AggregateFunction(uniqExact, UInt64) COMMENT 'of user_key, nobody left out',
  version UInt64 COMMENT 'clock of the database before the pass that wrote it, microseconds')
ENGINE = ${replicated}ReplacingMergeTree(version)
PARTITION BY toYYYYMM(slice)
ORDER BY (slice, uai, class_id, profile, type);

CREATE VIEW IF NOT EXISTS ${database}.v_usage_by_hour ${on_cluster} AS
SELECT * EXCEPT version FROM ${database}.usage_by_hour FINAL WHERE events > 0;

CREATE TABLE IF NOT EXISTS ${database}.usage_by_day ${on_cluster} (
  slice Date COMMENT 'day in Paris',
  uai LowCardinality(String),
  class_id LowCardinality(String),
  profile LowCardinality(String),
  type LowCardinality(String),
  events UInt64,
  events_once UInt64,
  recipients UInt64 COMMENT 'of notifications, counted with the first school, persons',
  users AggregateFunction(uniqExact, UInt64) COMMENT 'of user_key, nobody left out',
  version UInt64 COMMENT 'clock of the database before the pass that wrote it, microseconds')
ENGINE = ${replicated}ReplacingMergeTree(version)
PARTITION BY toYYYYMM(slice)
ORDER BY (slice, uai, class_id, profile, type);

CREATE VIEW IF NOT EXISTS ${database}.v_usage_by_day ${on_cluster} AS
SELECT * EXCEPT version FROM ${database}.usage_by_day FINAL WHERE events > 0;

CREATE TABLE IF NOT EXISTS ${database}.app_usage_by_minute ${on_cluster} (
  slice DateTime('UTC') COMMENT 'start of the minute',
  uai LowCardinality(String),
  profile LowCardinality(String),
  app LowCardinality(String),
  type LowCardinality(String),
  events UInt64,
  events_once UInt64,
  recipients UInt64 COMMENT 'of notifications, counted with the first school, persons',
  users AggregateFunction(uniqExact, UInt64) COMMENT 'of user_key, nobody left out',
  version UInt64 COMMENT 'clock of the database before the pass that wrote it, microseconds')
ENGINE = ${replicated}ReplacingMergeTree(version)
PARTITION BY toYYYYMM(slice)
ORDER BY (slice, uai, profile, app, type);

CREATE VIEW IF NOT EXISTS ${database}.v_app_usage_by_minute ${on_cluster} AS
SELECT * EXCEPT version FROM ${database}.app_usage_by_minute FINAL WHERE events > 0;

CREATE TABLE IF NOT EXISTS ${database}.app_usage_by_hour ${on_cluster} (
  slice DateTime('UTC') COMMENT 'start of the hour',
  uai LowCardinality(String),
  profile LowCardinality(String),
  app LowCardinality(String),
  type LowCardinality(String),
  events UInt64,
  events_once UInt64,
  recipients UInt64 COMMENT 'of notifications, counted with the first school, persons',
  users AggregateFunction(uniqExact, UInt64) COMMENT 'of user_key, nobody left out',
  version UInt64 COMMENT 'clock of the database before the pass that wrote it, microseconds')
ENGINE = ${replicated}ReplacingMergeTree(version)
PARTITION BY toYYYYMM(slice)
ORDER BY (slice, uai, profile, app, type);

CREATE VIEW IF NOT EXISTS ${database}.v_app_usage_by_hour ${on_cluster} AS
SELECT * EXCEPT version FROM ${database}.app_usage_by_hour FINAL WHERE events > 0;

CREATE TABLE IF NOT EXISTS ${database}.app_usage_by_day ${on_cluster} (
  slice Date COMMENT 'day in Paris',
  uai LowCardinality(String),
  profile LowCardinality(String),
  app LowCardinality(String),
  type LowCardinality(String),
  events UInt64,
  events_once UInt64,
  recipients UInt64 COMMENT 'of notifications, counted with the first school, persons',
  users AggregateFunction(uniqExact, UInt64) COMMENT 'of user_key, nobody left out',
  version UInt64 COMMENT 'clock of the database before the pass that wrote it, microseconds')
ENGINE = ${replicated}ReplacingMergeTree(version)
PARTITION BY toYYYYMM(slice)
ORDER BY (slice, uai, profile, app, type);

CREATE VIEW IF NOT EXISTS ${database}.v_app_usage_by_day ${on_cluster} AS
SELECT * EXCEPT version FROM ${database}.app_usage_by_day FINAL WHERE events > 0;
