-- The ledger by day of arrival, frozen by month; gaps and overlaps of offsets, found here; partitions that are paused.

-- As in 0010, and asking only for the minutes of mended events: minutes are what events are ordered by.
CREATE OR REPLACE VIEW ${database}.v_mending ${on_cluster} AS
SELECT d.*, m.event_time AS event_time, m.event_school AS event_school, m.event_type AS event_type,
  m.event_id AS mended_by, m.origin AS origin, m.sent_at AS sent_at,
  multiIf(m.origin = '', 'open', (toStartOfMinute(m.event_time), m.event_school, m.event_type, m.event_id) IN (
    SELECT toStartOfMinute(event_time), school, type, event_id FROM ${database}.events
    WHERE toStartOfMinute(event_time) IN (SELECT toStartOfMinute(event_time) FROM ${database}.dead_letter_mends)
      AND event_id IN (SELECT event_id FROM ${database}.dead_letter_mends)), 'mended', 'sent') AS state
FROM (SELECT * FROM ${database}.dead_letters FINAL) AS d
LEFT JOIN (SELECT * FROM ${database}.dead_letter_mends FINAL) AS m USING (topic, incarnation, partition, offset);

ALTER TABLE ${database}.dropped ${on_cluster}
  ADD COLUMN IF NOT EXISTS arrived_at DateTime64(3, 'UTC')
  COMMENT 'Kafka''s timestamp; of a hole, that of the record before or after it in its batch, 1970 where there is none';

-- What was stored before this migration has no day: 1970-01-01.
ALTER TABLE ${database}.positions ${on_cluster}
  ADD COLUMN IF NOT EXISTS day Date COMMENT 'of the arrival in Kafka, in Paris',
  MODIFY ORDER BY (topic, incarnation, partition, block, outcome, reason, day);

ALTER TABLE ${database}.positions_accepted ${on_cluster} MODIFY QUERY
SELECT topic, incarnation, partition, bitShiftRight(offset, 16) AS block,
  CAST('accepted', 'Enum8(\'accepted\' = 1, \'rejected\' = 2, \'dropped\' = 3)') AS outcome, '' AS reason,
  toDate(arrived_at, 'Europe/Paris') AS day, groupBitmapState(toUInt32(bitAnd(offset, 65535))) AS offsets
FROM ${database}.events GROUP BY topic, incarnation, partition, block, day;

ALTER TABLE ${database}.positions_rejected ${on_cluster} MODIFY QUERY
SELECT topic, incarnation, partition, bitShiftRight(offset, 16) AS block,
  CAST('rejected', 'Enum8(\'accepted\' = 1, \'rejected\' = 2, \'dropped\' = 3)') AS outcome, reason,
  toDate(arrived_at, 'Europe/Paris') AS day, groupBitmapState(toUInt32(bitAnd(offset, 65535))) AS offsets
FROM ${database}.dead_letters GROUP BY topic, incarnation, partition, block, reason, day;

ALTER TABLE ${database}.positions_dropped ${on_cluster} MODIFY QUERY
SELECT topic, incarnation, partition, bitShiftRight(o, 16) AS block,
  CAST('dropped', 'Enum8(\'accepted\' = 1, \'rejected\' = 2, \'dropped\' = 3)') AS outcome, reason, day,
  groupBitmapState(toUInt32(bitAnd(o, 65535))) AS offsets
FROM (SELECT topic, incarnation, partition, reason, toDate(arrived_at, 'Europe/Paris') AS day,
  arrayJoin(range(first, next)) AS o FROM ${database}.dropped)
GROUP BY topic, incarnation, partition, block, reason, day;

-- Closed months, as they were when they were closed: events expire before this does.
CREATE TABLE IF NOT EXISTS ${database}.ledger_frozen ${on_cluster} (
  topic LowCardinality(String),
  incarnation UInt32,
  partition UInt16,
  day Date COMMENT 'of the arrival in Kafka, in Paris',
  first UInt64 COMMENT 'lowest offset of the day',
  next UInt64 COMMENT 'offset after the highest of the day',
  consumed UInt64,
  stored UInt64,
  rejected UInt64,
  dropped UInt64,
  frozen_at DateTime64(6, 'UTC') COMMENT 'clock of the database')
ENGINE = ${replicated}ReplacingMergeTree(frozen_at)
PARTITION BY toYYYYMM(day)
ORDER BY (topic, incarnation, partition, day)
TTL toStartOfMonth(day) + INTERVAL 26 MONTH;

-- By day of arrival, computed now. An offset that was told twice counts once: accepted before rejected before dropped,
-- and on the first day that is told of it.
CREATE VIEW IF NOT EXISTS ${database}.ledger_days_now ${on_cluster} AS
SELECT topic, incarnation, partition, day, p.first AS first, p.next AS next,
  p.accepted + p.rejected + p.dropped AS consumed, e.stored AS stored,
  toInt64(p.accepted) - toInt64(e.stored) AS duplicate, p.rejected AS rejected, p.dropped AS dropped
FROM (
  SELECT topic, incarnation, partition, day, min(bitShiftLeft(block, 16) + bitmapMin(own)) AS first,
    max(bitShiftLeft(block, 16) + bitmapMax(own)) + 1 AS next,
    sumIf(bitmapCardinality(own), outcome = 'accepted') AS accepted,
    sumIf(bitmapCardinality(own), outcome = 'rejected') AS rejected,
    sumIf(bitmapCardinality(own), outcome = 'dropped') AS dropped
  FROM (
    SELECT topic, incarnation, partition, block, outcome, day, bitmapAndnot(told, groupBitmapOrState(told) OVER (
      PARTITION BY topic, incarnation, partition, block ORDER BY outcome, day
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS own
    FROM (SELECT topic, incarnation, partition, block, outcome, day, groupBitmapMergeState(offsets) AS told
      FROM ${database}.positions GROUP BY topic, incarnation, partition, block, outcome, day))
  WHERE bitmapCardinality(own) > 0
  GROUP BY topic, incarnation, partition, day) AS p
LEFT JOIN (
  SELECT topic, incarnation, partition, if((topic, incarnation, partition, toDate(arrived_at, 'Europe/Paris')) IN (
    SELECT topic, incarnation, partition, day FROM ${database}.positions), toDate(arrived_at, 'Europe/Paris'), toDate(0)) AS day,
    count() AS stored
  FROM ${database}.events FINAL GROUP BY topic, incarnation, partition, day) AS e USING (topic, incarnation, partition, day);

-- The same with closed months as they were frozen; `late` counts what arrived with a date in a month that was closed.
CREATE VIEW IF NOT EXISTS ${database}.ledger_days ${on_cluster} AS
SELECT topic, incarnation, partition, day,
  if(f.consumed > 0, f.first, n.first) AS first, if(f.consumed > 0, f.next, n.next) AS next,
  if(f.consumed > 0, f.consumed, n.consumed) AS consumed, if(f.consumed > 0, f.stored, n.stored) AS stored,
  if(f.consumed > 0, toInt64(f.consumed) - f.stored - f.rejected - f.dropped, n.duplicate) AS duplicate,
  if(f.consumed > 0, f.rejected, n.rejected) AS rejected, if(f.consumed > 0, f.dropped, n.dropped) AS dropped,
  f.consumed > 0 AS frozen, if(frozen, greatest(toInt64(n.consumed) - toInt64(f.consumed), 0), 0) AS late
FROM ${database}.ledger_days_now AS n
FULL OUTER JOIN (SELECT * FROM ${database}.ledger_frozen FINAL) AS f USING (topic, incarnation, partition, day);

-- Offsets between the first one read and the last one accounted for that came to no end, as half-open ranges within
-- blocks of 65 536. A small bitmap gives its members in the order in which they came: hence the sorting.
CREATE VIEW IF NOT EXISTS ${database}.ledger_gaps ${on_cluster} AS
SELECT topic, incarnation, partition, bitShiftLeft(block, 16) + run[1] AS first, bitShiftLeft(block, 16) + run[-1] + 1 AS next
FROM (
  SELECT topic, incarnation, partition, block, arraySort(bitmapToArray(bitmapAndnot(
    bitmapBuild(arrayMap(x -> toUInt32(x), range(low, high))), known))) AS absent
  FROM (
    SELECT topic, incarnation, partition, block, known,
      greatest(log_first, bitShiftLeft(block, 16)) - bitShiftLeft(block, 16) AS low,
      least(log_next, bitShiftLeft(block + 1, 16)) - bitShiftLeft(block, 16) AS high
    FROM (
      SELECT topic, incarnation, partition, log_first, log_next,
        arrayJoin(range(bitShiftRight(log_first, 16), bitShiftRight(toUInt64(log_next - 1), 16) + 1)) AS block
      FROM (SELECT topic, incarnation, partition, min(first) AS log_first FROM ${database}.logs
        GROUP BY topic, incarnation, partition) AS l
      INNER JOIN (SELECT topic, incarnation, partition, max(bitShiftLeft(block, 16) + bitmapMax(told)) + 1 AS log_next
        FROM (SELECT topic, incarnation, partition, block, groupBitmapMergeState(offsets) AS told
          FROM ${database}.positions GROUP BY topic, incarnation, partition, block)
        GROUP BY topic, incarnation, partition) AS ends USING (topic, incarnation, partition)
      WHERE log_next > log_first) AS blocks
    LEFT JOIN (SELECT topic, incarnation, partition, block, groupBitmapMergeState(offsets) AS known
      FROM ${database}.positions GROUP BY topic, incarnation, partition, block) AS told
    USING (topic, incarnation, partition, block))
  WHERE bitmapCardinality(bitmapSubsetInRange(known, toUInt32(low), toUInt32(high))) < high - low)
ARRAY JOIN arraySplit((x, step) -> step > 1, absent, arrayDifference(absent)) AS run;

-- Offsets that came to two ends, as half-open ranges. The ledger counts each of them once, by the first of the two.
CREATE VIEW IF NOT EXISTS ${database}.ledger_overlaps ${on_cluster} AS
SELECT topic, incarnation, partition, pair.1 AS one_end, pair.2 AS other_end,
  bitShiftLeft(block, 16) + run[1] AS first, bitShiftLeft(block, 16) + run[-1] + 1 AS next
FROM (
  SELECT topic, incarnation, partition, block, arrayJoin([
    ('accepted', 'rejected', arraySort(bitmapToArray(bitmapAnd(a, r)))),
    ('accepted', 'dropped', arraySort(bitmapToArray(bitmapAnd(a, d)))),
    ('rejected', 'dropped', arraySort(bitmapToArray(bitmapAnd(r, d))))]) AS pair
  FROM (
    SELECT topic, incarnation, partition, block, groupBitmapMergeStateIf(offsets, outcome = 'accepted') AS a,
      groupBitmapMergeStateIf(offsets, outcome = 'rejected') AS r, groupBitmapMergeStateIf(offsets, outcome = 'dropped') AS d
    FROM ${database}.positions GROUP BY topic, incarnation, partition, block))
ARRAY JOIN arraySplit((x, step) -> step > 1, pair.3, arrayDifference(pair.3)) AS run;

-- Partitions that a storm of rejects has paused, and how far an operator has let each of them go on.
CREATE TABLE IF NOT EXISTS ${database}.pauses ${on_cluster} (
  topic LowCardinality(String),
  incarnation UInt32,
  partition UInt16,
  offset UInt64 COMMENT 'first offset that is held back',
  reason String COMMENT 'what was seen',
  allowed_through UInt64 COMMENT 'rejects below this offset are let through; 0: not yet allowed',
  at DateTime64(6, 'UTC') COMMENT 'clock of the database')
ENGINE = ${replicated}ReplacingMergeTree(at)
ORDER BY (topic, incarnation, partition);
