-- School time. To ask whether a minute is inside the school time of its school:
--   SELECT … FROM v_usage_by_minute AS u ASOF LEFT JOIN v_school_time AS t ON u.uai = t.uai AND u.slice >= t.starts
--   … t.category = 'classe'
-- t.category is one of classe, pause_meridienne, soir_matin (days with lessons); mercredi_libre, jour_libre, week_end,
-- ferie (public holidays and bridges), vacances, fermeture (declared); an empty one is a moment that no calendar knows.
-- Out of school time is everything but classe.
--
-- What is declared (calendar_periods, timetables: the last load; school_closures: one row for each declaration) is expanded
-- into school_time by `ent calendar load`, `ent calendar declare` and the alert service. An expansion counts from the moment
-- when its line in school_time_revisions is there.

CREATE TABLE IF NOT EXISTS ${database}.calendar_periods ${on_cluster} (
  load UInt64 COMMENT 'number of the load, microseconds since the epoch; the highest in calendar_loads counts',
  zone LowCardinality(String) COMMENT 'A, B or C; empty in a row of an académie',
  academie LowCardinality(String) COMMENT 'in lower case; empty in a row of a zone. An académie with rows does not follow its zone',
  first Date COMMENT 'first day without lessons',
  after Date COMMENT 'day of the return',
  label String COMMENT 'what French readers see',
  kind LowCardinality(String) COMMENT 'vacances or pont; annee: the days that the calendar knows')
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY load
ORDER BY (load, zone, academie, kind, first);

CREATE TABLE IF NOT EXISTS ${database}.timetables ${on_cluster} (
  load UInt64,
  uai LowCardinality(String),
  school_year LowCardinality(String) COMMENT 'August to July, for example 2026-2027',
  weekday UInt8 COMMENT '1 is Monday',
  begins_min UInt16 COMMENT 'lessons begin, minutes of the day in Paris',
  ends_min UInt16)
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY load
ORDER BY (load, uai, school_year, weekday, begins_min);

CREATE TABLE IF NOT EXISTS ${database}.calendar_loads ${on_cluster} (
  load UInt64,
  source String COMMENT 'where its calendar came from',
  loaded_at DateTime64(3, 'UTC'))
ENGINE = ${replicated}ReplacingMergeTree
ORDER BY load;

CREATE TABLE IF NOT EXISTS ${database}.school_closures ${on_cluster} (
  closure_id String,
  uai LowCardinality(String) COMMENT 'empty: every school',
  starts DateTime('UTC'),
  ends DateTime('UTC'),
  reason LowCardinality(String) COMMENT 'greve, sortie, panne, pont, travaux, autre',
  note String,
  declared_at DateTime64(3, 'UTC'),
  withdrawn Bool,
  version UInt64 COMMENT 'microseconds; the last word on a closure counts')
ENGINE = ${replicated}ReplacingMergeTree(version)
ORDER BY closure_id;

CREATE VIEW IF NOT EXISTS ${database}.v_school_closures ${on_cluster} AS
SELECT * EXCEPT (withdrawn, version) FROM ${database}.school_closures FINAL WHERE NOT withdrawn;

CREATE VIEW IF NOT EXISTS ${database}.v_calendar_periods ${on_cluster} AS
SELECT * EXCEPT load FROM ${database}.calendar_periods FINAL
WHERE load = (SELECT max(load) FROM ${database}.calendar_loads) AND kind != 'annee';

-- Schools with the same place, timetable and closures share a rhythm.
CREATE TABLE IF NOT EXISTS ${database}.school_rhythms ${on_cluster} (
  revision UInt64,
  uai LowCardinality(String),
  rhythm UInt64)
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY revision
ORDER BY (revision, uai);

CREATE TABLE IF NOT EXISTS ${database}.school_time ${on_cluster} (
  revision UInt64,
  rhythm UInt64,
  starts DateTime('UTC') COMMENT 'from here on until the next row of the rhythm',
  category LowCardinality(String) COMMENT 'empty: from here on no calendar knows')
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY revision
ORDER BY (revision, rhythm, starts);

CREATE TABLE IF NOT EXISTS ${database}.school_time_revisions ${on_cluster} (
  revision UInt64 COMMENT 'microseconds since the epoch',
  content String COMMENT 'SHA-256 of what it was made from, in hex',
  begins Date COMMENT 'first day that is known of every school',
  after Date COMMENT 'first day that is not known any more of every school',
  activated_at DateTime64(3, 'UTC'))
ENGINE = ${replicated}ReplacingMergeTree
ORDER BY revision;

CREATE VIEW IF NOT EXISTS ${database}.v_school_time ${on_cluster} AS
SELECT of.uai AS uai, t.starts AS starts, t.category AS category
FROM ${database}.school_rhythms AS of FINAL INNER JOIN ${database}.school_time AS t FINAL ON of.revision = t.revision AND of.rhythm = t.rhythm
WHERE of.revision = (SELECT max(revision) FROM ${database}.school_time_revisions)
  AND t.revision = (SELECT max(revision) FROM ${database}.school_time_revisions);
