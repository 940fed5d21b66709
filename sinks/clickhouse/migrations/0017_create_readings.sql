-- The same names in both readings, so that one dashboard reads either. What is published is read from v_published, which
-- has no row in the exact reading; what is not published has a view of its name in ${database}_public, and no row there.
CREATE VIEW IF NOT EXISTS ${database}_public.v_published ${on_cluster} AS
SELECT grain, start, place, kind, assumeNotNull(cells.users) AS users, logins, visits, final
FROM ${database}_public.cells FINAL WHERE cells.users IS NOT NULL;

CREATE VIEW IF NOT EXISTS ${database}.v_published ${on_cluster} AS
SELECT defaultValueOfTypeName('LowCardinality(String)') AS grain, toDate(0) AS start,
  defaultValueOfTypeName('LowCardinality(String)') AS place, defaultValueOfTypeName('LowCardinality(String)') AS kind,
  toUInt32(0) AS users, CAST(NULL AS Nullable(UInt32)) AS logins, CAST(NULL AS Nullable(UInt32)) AS visits, false AS final
WHERE 0;

-- What the published copies of the names leave out is not known there.
CREATE OR REPLACE VIEW ${database}_public.v_schools ${on_cluster} AS
SELECT * EXCEPT release, CAST([] AS Array(String)) AS structure_ids, CAST(NULL AS Nullable(UInt16)) AS mobile_classes
FROM ${database}_public.schools FINAL
WHERE release = (SELECT max(release) FROM ${database}_public.releases);

CREATE OR REPLACE VIEW ${database}_public.v_classes ${on_cluster} AS
SELECT * EXCEPT release, CAST(NULL AS Nullable(Bool)) AS projector, CAST(NULL AS Nullable(Bool)) AS teacher_trained
FROM ${database}_public.classes FINAL
WHERE release = (SELECT max(release) FROM ${database}_public.releases);

CREATE VIEW IF NOT EXISTS ${database}_public.v_usage_by_minute ${on_cluster} AS
SELECT toDateTime(0, 'UTC') AS slice, toLowCardinality('') AS uai, toLowCardinality('') AS class_id,
  toLowCardinality('') AS profile, toLowCardinality('') AS type, toUInt64(0) AS events, toUInt64(0) AS events_once,
  toUInt64(0) AS recipients, defaultValueOfTypeName('AggregateFunction(uniqExact, UInt64)') AS users
WHERE 0;

CREATE VIEW IF NOT EXISTS ${database}_public.v_usage_by_hour ${on_cluster} AS
SELECT toDateTime(0, 'UTC') AS slice, toLowCardinality('') AS uai, toLowCardinality('') AS class_id,
  toLowCardinality('') AS profile, toLowCardinality('') AS type, toUInt64(0) AS events, toUInt64(0) AS events_once,
  toUInt64(0) AS recipients, defaultValueOfTypeName('AggregateFunction(uniqExact, UInt64)') AS users
WHERE 0;

CREATE VIEW IF NOT EXISTS ${database}_public.v_usage_by_day ${on_cluster} AS
SELECT toDate(0) AS slice, toLowCardinality('') AS uai, toLowCardinality('') AS class_id, toLowCardinality('') AS profile,
  toLowCardinality('') AS type, toUInt64(0) AS events, toUInt64(0) AS events_once, toUInt64(0) AS recipients,
  defaultValueOfTypeName('AggregateFunction(uniqExact, UInt64)') AS users
WHERE 0;

CREATE VIEW IF NOT EXISTS ${database}_public.v_app_usage_by_minute ${on_cluster} AS
SELECT toDateTime(0, 'UTC') AS slice, toLowCardinality('') AS uai, toLowCardinality('') AS profile,
  toLowCardinality('') AS app, toLowCardinality('') AS type, toUInt64(0) AS events, toUInt64(0) AS events_once,
  toUInt64(0) AS recipients, defaultValueOfTypeName('AggregateFunction(uniqExact, UInt64)') AS users
WHERE 0;

CREATE VIEW IF NOT EXISTS ${database}_public.v_app_usage_by_hour ${on_cluster} AS
SELECT toDateTime(0, 'UTC') AS slice, toLowCardinality('') AS uai, toLowCardinality('') AS profile,
  toLowCardinality('') AS app, toLowCardinality('') AS type, toUInt64(0) AS events, toUInt64(0) AS events_once,
  toUInt64(0) AS recipients, defaultValueOfTypeName('AggregateFunction(uniqExact, UInt64)') AS users
WHERE 0;

CREATE VIEW IF NOT EXISTS ${database}_public.v_app_usage_by_day ${on_cluster} AS
SELECT toDate(0) AS slice, toLowCardinality('') AS uai, toLowCardinality('') AS profile, toLowCardinality('') AS app,
  toLowCardinality('') AS type, toUInt64(0) AS events, toUInt64(0) AS events_once, toUInt64(0) AS recipients,
  defaultValueOfTypeName('AggregateFunction(uniqExact, UInt64)') AS users
WHERE 0;

CREATE VIEW IF NOT EXISTS ${database}_public.v_events ${on_cluster} AS
SELECT toDateTime64(0, 6, 'UTC') AS event_time, toLowCardinality('') AS type, toLowCardinality('') AS uai,
  toLowCardinality('') AS class_id, defaultValueOfTypeName('Array(LowCardinality(String))') AS other_uai,
  toLowCardinality('') AS profile, toLowCardinality('') AS app, toLowCardinality('') AS app_raw,
  toLowCardinality('') AS service, toLowCardinality('') AS device, toUInt64(0) AS user_key, toLowCardinality('') AS stage,
  toUInt32(0) AS recipients, toUInt32(0) AS recipients_eleve, toUInt32(0) AS recipients_parent,
  toUInt32(0) AS recipients_enseignant, toUInt32(0) AS recipients_personnel, false AS uai_letter_wrong,
  toDateTime64(0, 3, 'UTC') AS arrived_at
WHERE 0;

CREATE VIEW IF NOT EXISTS ${database}_public.v_notifications ${on_cluster} AS
SELECT toDateTime64(0, 6, 'UTC') AS event_time, toLowCardinality('') AS type, toLowCardinality('') AS uai,
  toLowCardinality('') AS class_id, defaultValueOfTypeName('Array(LowCardinality(String))') AS other_uai,
  toLowCardinality('') AS profile, toLowCardinality('') AS app, toLowCardinality('') AS app_raw,
  toLowCardinality('') AS service, toLowCardinality('') AS device, toUInt64(0) AS user_key, toLowCardinality('') AS stage,
  toUInt32(0) AS recipients, toUInt32(0) AS recipients_eleve, toUInt32(0) AS recipients_parent,
  toUInt32(0) AS recipients_enseignant, toUInt32(0) AS recipients_personnel, false AS uai_letter_wrong,
  toDateTime64(0, 3, 'UTC') AS arrived_at
WHERE 0;

CREATE VIEW IF NOT EXISTS ${database}_public.v_dead_letters ${on_cluster} AS
SELECT toDateTime64(0, 3, 'UTC') AS arrived_at, toLowCardinality('') AS reason, toLowCardinality('') AS school
WHERE 0;

CREATE VIEW IF NOT EXISTS ${database}_public.v_alerts ${on_cluster} AS
SELECT '' AS alert_id, '' AS kind, '' AS uai, '' AS title, '' AS text, toDateTime(0, 'UTC') AS since,
  toDateTime(0, 'UTC') AS opened_at, defaultValueOfTypeName('Nullable(DateTime(''UTC''))') AS resolved_at, toUInt8(0) AS open
WHERE 0;

CREATE VIEW IF NOT EXISTS ${database}_public.v_school_health ${on_cluster} AS
SELECT toDateTime(0, 'UTC') AS at, toLowCardinality('') AS uai, toLowCardinality('') AS profile, toFloat64(0) AS observed,
  toFloat64(0) AS expected, toFloat64(0) AS low, toFloat64(0) AS high, toLowCardinality('') AS state
WHERE 0;

CREATE VIEW IF NOT EXISTS ${database}_public.v_school_time ${on_cluster} AS
SELECT toLowCardinality('') AS uai, toDateTime(0, 'UTC') AS starts, toLowCardinality('') AS category
WHERE 0;

CREATE VIEW IF NOT EXISTS ${database}_public.v_series_breaks ${on_cluster} AS
SELECT toDateTime(0, 'UTC') AS begins_at, toDateTime(0, 'UTC') AS ends_at, toLowCardinality('') AS kind,
  toLowCardinality('') AS uai, '' AS label
WHERE 0;
