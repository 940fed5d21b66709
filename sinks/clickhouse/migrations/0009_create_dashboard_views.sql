-- What dashboards read beside the windows, under names that do not change.

-- Where a series is not comparable with itself: a platform's release that counts otherwise, a wrong week. Drawn on every
-- chart that crosses it. Another row for the same break_id replaces the first; withdrawn takes it back.
CREATE TABLE IF NOT EXISTS ${database}.series_breaks ${on_cluster} (
  break_id String,
  begins_at DateTime('UTC'),
  ends_at DateTime('UTC') COMMENT 'the same as begins_at: a step that stays',
  kind LowCardinality(String) COMMENT 'rupture (counts otherwise from here on), erreur (the span is wrong)',
  uai LowCardinality(String) COMMENT 'empty: every school',
  label String COMMENT 'what French readers see',
  withdrawn Bool,
  version UInt64 COMMENT 'microseconds since the epoch; the last word on a break counts')
ENGINE = ${replicated}ReplacingMergeTree(version)
ORDER BY break_id;

CREATE VIEW IF NOT EXISTS ${database}.v_series_breaks ${on_cluster} AS
SELECT begins_at, ends_at, kind, uai, label FROM ${database}.series_breaks FINAL WHERE NOT withdrawn;

-- Offsets that held no event for us.
CREATE VIEW IF NOT EXISTS ${database}.v_dropped ${on_cluster} AS SELECT * FROM ${database}.dropped FINAL;

CREATE VIEW IF NOT EXISTS ${database}.v_progress ${on_cluster} AS SELECT * FROM ${database}.progress FINAL;

CREATE VIEW IF NOT EXISTS ${database}.v_directory_revisions ${on_cluster} AS
SELECT * FROM ${database}.directory_revisions FINAL;

-- The ledger without a look at the events: accepted counts an event as often as it came. missing = offsets between the
-- first read and the last that came to no end at all (0, or something is lost).
CREATE VIEW IF NOT EXISTS ${database}.v_offsets ${on_cluster} AS
SELECT topic, incarnation, partition, l.first AS first, p.next AS next, p.accepted AS accepted, p.rejected AS rejected,
  p.dropped AS dropped, toInt64(p.next) - toInt64(l.first) - toInt64(p.accepted + p.rejected + p.dropped) AS missing
FROM (
  SELECT topic, incarnation, partition, max(bitShiftLeft(block, 16) + bitmapMax(any_end)) + 1 AS next,
    sum(bitmapCardinality(a)) AS accepted, sum(bitmapAndnotCardinality(r, a)) AS rejected,
    sum(bitmapAndnotCardinality(d, bitmapOr(a, r))) AS dropped
  FROM (
    SELECT topic, incarnation, partition, block, groupBitmapMergeState(offsets) AS any_end,
      groupBitmapMergeStateIf(offsets, outcome = 'accepted') AS a,
      groupBitmapMergeStateIf(offsets, outcome = 'rejected') AS r,
      groupBitmapMergeStateIf(offsets, outcome = 'dropped') AS d
    FROM ${database}.positions GROUP BY topic, incarnation, partition, block)
  GROUP BY topic, incarnation, partition) AS p
INNER JOIN (SELECT topic, incarnation, partition, min(first) AS first FROM ${database}.logs
  GROUP BY topic, incarnation, partition) AS l USING (topic, incarnation, partition);

-- What the database itself says of this database's tables; its reader may not look into system.
CREATE VIEW IF NOT EXISTS ${database}.v_parts ${on_cluster} DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT table, partition, count() AS parts, sum(rows) AS rows, sum(bytes_on_disk) AS bytes, max(modification_time) AS written_at
FROM system.parts WHERE database = '${database}' AND active GROUP BY table, partition;

CREATE VIEW IF NOT EXISTS ${database}.v_merges ${on_cluster} DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT table, elapsed, progress, num_parts, total_size_bytes_compressed FROM system.merges WHERE database = '${database}';

CREATE VIEW IF NOT EXISTS ${database}.v_server ${on_cluster} DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT name, value FROM (
  SELECT metric AS name, toFloat64(value) AS value FROM system.metrics
  WHERE metric IN ('MemoryTracking', 'Query', 'Merge', 'PartsActive')
  UNION ALL
  SELECT event AS name, toFloat64(value) AS value FROM system.events
  WHERE event IN ('InsertQuery', 'InsertedRows', 'SelectQuery', 'MergedRows', 'OSCPUVirtualTimeMicroseconds'));

-- Up to which day the school calendar is known of every school.
CREATE VIEW IF NOT EXISTS ${database}.v_school_time_horizon ${on_cluster} AS
SELECT begins, after, activated_at FROM ${database}.school_time_revisions FINAL ORDER BY revision DESC LIMIT 1;

CREATE VIEW IF NOT EXISTS ${database}.v_alert_labels ${on_cluster} AS SELECT * FROM ${database}.alert_labels FINAL;
