-- Which logs were read. A log that starts over (a broker in memory, a recreated topic) is another incarnation.
CREATE TABLE IF NOT EXISTS ${database}.logs ${on_cluster} (
  topic LowCardinality(String),
  incarnation UInt32,
  partition UInt16,
  first UInt64 COMMENT 'offset at which reading of this log began',
  seen_at DateTime64(3, 'UTC'))
ENGINE = ${replicated}ReplacingMergeTree
ORDER BY (topic, incarnation, partition, first);

-- The ledger's memory: which offsets came to which end, as sets. A set does not mind being told twice.
CREATE TABLE IF NOT EXISTS ${database}.positions ${on_cluster} (
  topic LowCardinality(String),
  incarnation UInt32,
  partition UInt16,
  block UInt64 COMMENT 'offset divided by 65 536',
  outcome Enum8('accepted' = 1, 'rejected' = 2, 'dropped' = 3),
  reason LowCardinality(String) COMMENT 'why, for what was rejected or dropped',
  offsets AggregateFunction(groupBitmap, UInt32) COMMENT 'offsets modulo 65 536')
ENGINE = ${replicated}AggregatingMergeTree
ORDER BY (topic, incarnation, partition, block, outcome, reason);

CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.positions_accepted ${on_cluster} TO ${database}.positions AS
SELECT topic, incarnation, partition, bitShiftRight(offset, 16) AS block,
  CAST('accepted', 'Enum8(\'accepted\' = 1, \'rejected\' = 2, \'dropped\' = 3)') AS outcome, '' AS reason,
  groupBitmapState(toUInt32(bitAnd(offset, 65535))) AS offsets
FROM ${database}.events GROUP BY topic, incarnation, partition, block;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.positions_rejected ${on_cluster} TO ${database}.positions AS
SELECT topic, incarnation, partition, bitShiftRight(offset, 16) AS block,
  CAST('rejected', 'Enum8(\'accepted\' = 1, \'rejected\' = 2, \'dropped\' = 3)') AS outcome, reason,
  groupBitmapState(toUInt32(bitAnd(offset, 65535))) AS offsets
FROM ${database}.dead_letters GROUP BY topic, incarnation, partition, block, reason;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.positions_dropped ${on_cluster} TO ${database}.positions AS
SELECT topic, incarnation, partition, bitShiftRight(o, 16) AS block,
  CAST('dropped', 'Enum8(\'accepted\' = 1, \'rejected\' = 2, \'dropped\' = 3)') AS outcome, reason,
  groupBitmapState(toUInt32(bitAnd(o, 65535))) AS offsets
FROM (SELECT topic, incarnation, partition, reason, arrayJoin(range(first, next)) AS o FROM ${database}.dropped)
GROUP BY topic, incarnation, partition, block, reason;

-- consumed = stored + duplicate + rejected + dropped; missing = offsets between the first read and the last that came to
-- no end at all (0, or the ledger does not close).
CREATE VIEW IF NOT EXISTS ${database}.ledger ${on_cluster} AS
SELECT topic, incarnation, partition, l.first AS first, p.next AS next, p.accepted + p.rejected + p.dropped AS consumed,
  e.stored AS stored, p.accepted - e.stored AS duplicate, p.rejected AS rejected, p.dropped AS dropped,
  toInt64(p.next) - toInt64(l.first) - toInt64(consumed) AS missing
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
  GROUP BY topic, incarnation, partition) AS l USING (topic, incarnation, partition)
LEFT JOIN (SELECT topic, incarnation, partition, count() AS stored FROM ${database}.events FINAL
  GROUP BY topic, incarnation, partition) AS e USING (topic, incarnation, partition);

-- How far each partition is complete: everything that arrived before complete_through is in the windows.
CREATE TABLE IF NOT EXISTS ${database}.progress ${on_cluster} (
  topic LowCardinality(String),
  partition UInt16,
  incarnation UInt32,
  complete_through DateTime64(3, 'UTC'),
  lag UInt64 COMMENT 'records that Kafka holds and that are not in the windows yet',
  written_at DateTime64(6, 'UTC') COMMENT 'clock of the database')
ENGINE = ${replicated}ReplacingMergeTree(written_at)
ORDER BY (topic, partition);

CREATE VIEW IF NOT EXISTS ${database}.v_complete ${on_cluster} AS
SELECT min(complete_through) AS complete_through, sum(lag) AS lag, count() AS partitions FROM ${database}.progress FINAL;
