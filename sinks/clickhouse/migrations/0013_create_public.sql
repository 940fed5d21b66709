-- Two readings of the same figures. ${database}: exact and live, for operators and the controller's authorised staff.
-- ${database}_public: plain numbers in a fixed list of grains, written by `ent publish`; no state, no pseudonym, no
-- exact figure of people ever enters it, and its views read nothing outside it.
CREATE DATABASE IF NOT EXISTS ${database}_public ${on_cluster};

-- users is a multiple of 5, and no row stands for fewer than k persons: no row means few or none, which look alike.
CREATE TABLE IF NOT EXISTS ${database}_public.cells ${on_cluster} (
  grain LowCardinality(String) COMMENT 'one of the fixed list: sinks.clickhouse.grains',
  start Date COMMENT 'first day of the window, in Paris',
  place LowCardinality(String) COMMENT 'UAI, pole or circonscription by grain; empty: the whole territory',
  kind LowCardinality(String) COMMENT 'profile, application, hour or class, by grain',
  users Nullable(UInt32) COMMENT 'persons; null: was published and no longer reaches k',
  logins Nullable(UInt32) COMMENT 'mean per person, times the published persons',
  visits Nullable(UInt32) COMMENT 'likewise',
  final Bool COMMENT 'written two days after the window closed, and never again',
  version UInt64 COMMENT 'clock of the database, microseconds')
ENGINE = ${replicated}ReplacingMergeTree(version)
PARTITION BY toYYYYMM(start)
ORDER BY (grain, start, place, kind);

-- What was published of which window, so that none is rewritten before its next tick or after its end.
CREATE TABLE IF NOT EXISTS ${database}_public.publications ${on_cluster} (
  grain LowCardinality(String),
  start Date,
  stage Enum8('open' = 1, 'closed' = 2, 'final' = 3),
  tick UInt64 COMMENT 'number of the grain''s tick in which it was written',
  k UInt8 COMMENT 'fewest persons of a row',
  version UInt64 COMMENT 'clock of the database, microseconds')
ENGINE = ${replicated}ReplacingMergeTree(version)
PARTITION BY toYYYYMM(start)
ORDER BY (grain, start);

-- The names of places and things, copied whole as one release; the last one counts. The size of a group is known to
-- everybody in a school; how many of it activated their account is not, and is published by the same rule.
CREATE TABLE IF NOT EXISTS ${database}_public.releases ${on_cluster} (
  release UInt64 COMMENT 'clock of the database, microseconds',
  revision UInt64 COMMENT 'of the directory')
ENGINE = ${replicated}ReplacingMergeTree
ORDER BY release;

CREATE TABLE IF NOT EXISTS ${database}_public.schools ${on_cluster} (
  release UInt64,
  uai LowCardinality(String),
  name String,
  commune LowCardinality(String),
  circonscription LowCardinality(String),
  pole LowCardinality(String),
  education_prioritaire LowCardinality(String),
  nature LowCardinality(String),
  academie LowCardinality(String),
  zone LowCardinality(String),
  deployed_from Nullable(Date),
  pilot Bool)
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY release
ORDER BY (release, uai);

CREATE TABLE IF NOT EXISTS ${database}_public.classes ${on_cluster} (
  release UInt64,
  class_id String,
  uai LowCardinality(String),
  label String,
  levels Array(LowCardinality(String)),
  cycle LowCardinality(String),
  pupils UInt16)
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY release
ORDER BY (release, uai, class_id);

CREATE TABLE IF NOT EXISTS ${database}_public.profiles ${on_cluster} (
  release UInt64,
  profile LowCardinality(String),
  label String,
  dnma LowCardinality(String),
  rank UInt8)
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY release
ORDER BY (release, profile);

CREATE TABLE IF NOT EXISTS ${database}_public.accounts ${on_cluster} (
  release UInt64,
  uai LowCardinality(String),
  class_id String,
  profile LowCardinality(String),
  loaded UInt32,
  activated Nullable(UInt32) COMMENT 'a multiple of 5; null: fewer than k')
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY release
ORDER BY (release, uai, class_id, profile);

CREATE TABLE IF NOT EXISTS ${database}_public.applications ${on_cluster} (
  release UInt64,
  app LowCardinality(String),
  label String,
  kind LowCardinality(String),
  service LowCardinality(String))
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY release
ORDER BY (release, app);

CREATE TABLE IF NOT EXISTS ${database}_public.progress ${on_cluster} (
  written_at DateTime64(6, 'UTC'),
  complete_through DateTime64(3, 'UTC') COMMENT 'of the exact figures, when the territory was published last',
  lag UInt64,
  partitions UInt64,
  k UInt8 COMMENT 'fewest persons of a row')
ENGINE = ${replicated}ReplacingMergeTree(written_at)
ORDER BY tuple();

CREATE VIEW IF NOT EXISTS ${database}_public.v_schools ${on_cluster} AS
SELECT * EXCEPT release FROM ${database}_public.schools FINAL
WHERE release = (SELECT max(release) FROM ${database}_public.releases);

CREATE VIEW IF NOT EXISTS ${database}_public.v_classes ${on_cluster} AS
SELECT * EXCEPT release FROM ${database}_public.classes FINAL
WHERE release = (SELECT max(release) FROM ${database}_public.releases);

CREATE VIEW IF NOT EXISTS ${database}_public.v_profiles ${on_cluster} AS
SELECT * EXCEPT release FROM ${database}_public.profiles FINAL
WHERE release = (SELECT max(release) FROM ${database}_public.releases);

CREATE VIEW IF NOT EXISTS ${database}_public.v_accounts ${on_cluster} AS
SELECT * EXCEPT release FROM ${database}_public.accounts FINAL
WHERE release = (SELECT max(release) FROM ${database}_public.releases);

CREATE VIEW IF NOT EXISTS ${database}_public.v_applications ${on_cluster} AS
SELECT * EXCEPT release FROM ${database}_public.applications FINAL
WHERE release = (SELECT max(release) FROM ${database}_public.releases);

CREATE VIEW IF NOT EXISTS ${database}_public.v_complete ${on_cluster} AS
SELECT complete_through, lag, partitions FROM ${database}_public.progress FINAL;

-- Which reading this is, for the reader of a dashboard.
CREATE VIEW IF NOT EXISTS ${database}_public.v_reading ${on_cluster} AS
SELECT 'public' AS reading, k,
  concat('Chiffres publiés, arrondis à un multiple de 5. Une case vide : moins de ', toString(k),
    ' personnes, ou aucune.') AS note
FROM ${database}_public.progress FINAL;

CREATE VIEW IF NOT EXISTS ${database}.v_reading ${on_cluster} AS
SELECT 'exact' AS reading, toUInt8(1) AS k,
  'Chiffres exacts, réservés aux agents habilités. Une case vide : personne.' AS note;

CREATE VIEW IF NOT EXISTS ${database}_public.v_territory_day ${on_cluster} AS
SELECT start AS day,
  assumeNotNull(users) AS users, assumeNotNull(logins) AS logins, assumeNotNull(visits) AS visits, final
FROM ${database}_public.cells FINAL WHERE grain = 'territory_day' AND cells.users IS NOT NULL;

CREATE VIEW IF NOT EXISTS ${database}_public.v_territory_profile_day ${on_cluster} AS
SELECT start AS day, kind AS profile,
  assumeNotNull(users) AS users, assumeNotNull(logins) AS logins, assumeNotNull(visits) AS visits, final
FROM ${database}_public.cells FINAL WHERE grain = 'territory_profile_day' AND cells.users IS NOT NULL;

CREATE VIEW IF NOT EXISTS ${database}_public.v_territory_profile_hour ${on_cluster} AS
SELECT start AS day, splitByChar(' ', kind)[1] AS profile, toUInt8(splitByChar(' ', kind)[2]) AS hour,
  assumeNotNull(users) AS users, assumeNotNull(logins) AS logins, final
FROM ${database}_public.cells FINAL WHERE grain = 'territory_profile_hour' AND cells.users IS NOT NULL;

CREATE VIEW IF NOT EXISTS ${database}_public.v_circonscription_profile_day ${on_cluster} AS
SELECT start AS day, place AS circonscription, kind AS profile,
  assumeNotNull(users) AS users, assumeNotNull(logins) AS logins, assumeNotNull(visits) AS visits, final
FROM ${database}_public.cells FINAL WHERE grain = 'circonscription_profile_day' AND cells.users IS NOT NULL;

CREATE VIEW IF NOT EXISTS ${database}_public.v_pole_profile_day ${on_cluster} AS
SELECT start AS day, place AS pole, kind AS profile,
  assumeNotNull(users) AS users, assumeNotNull(logins) AS logins, assumeNotNull(visits) AS visits, final
FROM ${database}_public.cells FINAL WHERE grain = 'pole_profile_day' AND cells.users IS NOT NULL;

CREATE VIEW IF NOT EXISTS ${database}_public.v_school_day ${on_cluster} AS
SELECT start AS day, place AS uai,
  assumeNotNull(users) AS users, assumeNotNull(logins) AS logins, assumeNotNull(visits) AS visits, final
FROM ${database}_public.cells FINAL WHERE grain = 'school_day' AND cells.users IS NOT NULL;

CREATE VIEW IF NOT EXISTS ${database}_public.v_school_profile_day ${on_cluster} AS
SELECT start AS day, place AS uai, kind AS profile,
  assumeNotNull(users) AS users, assumeNotNull(logins) AS logins, assumeNotNull(visits) AS visits, final
FROM ${database}_public.cells FINAL WHERE grain = 'school_profile_day' AND cells.users IS NOT NULL;

CREATE VIEW IF NOT EXISTS ${database}_public.v_school_app_day ${on_cluster} AS
SELECT start AS day, place AS uai, kind AS app, assumeNotNull(users) AS users, assumeNotNull(visits) AS visits, final
FROM ${database}_public.cells FINAL WHERE grain = 'school_app_day' AND cells.users IS NOT NULL;

CREATE VIEW IF NOT EXISTS ${database}_public.v_school_hour ${on_cluster} AS
SELECT start AS day, place AS uai, toUInt8(kind) AS hour,
  assumeNotNull(users) AS users, assumeNotNull(logins) AS logins, final
FROM ${database}_public.cells FINAL WHERE grain = 'school_hour' AND cells.users IS NOT NULL;

CREATE VIEW IF NOT EXISTS ${database}_public.v_class_day ${on_cluster} AS
SELECT start AS day, place AS uai, kind AS class_id, assumeNotNull(users) AS users, final
FROM ${database}_public.cells FINAL WHERE grain = 'class_day' AND cells.users IS NOT NULL;

CREATE VIEW IF NOT EXISTS ${database}_public.v_school_week ${on_cluster} AS
SELECT start AS week, place AS uai,
  assumeNotNull(users) AS users, assumeNotNull(logins) AS logins, assumeNotNull(visits) AS visits, final
FROM ${database}_public.cells FINAL WHERE grain = 'school_week' AND cells.users IS NOT NULL;

CREATE VIEW IF NOT EXISTS ${database}_public.v_school_profile_week ${on_cluster} AS
SELECT start AS week, place AS uai, kind AS profile,
  assumeNotNull(users) AS users, assumeNotNull(logins) AS logins, assumeNotNull(visits) AS visits, final
FROM ${database}_public.cells FINAL WHERE grain = 'school_profile_week' AND cells.users IS NOT NULL;

CREATE VIEW IF NOT EXISTS ${database}_public.v_school_app_week ${on_cluster} AS
SELECT start AS week, place AS uai, kind AS app, assumeNotNull(users) AS users, assumeNotNull(visits) AS visits, final
FROM ${database}_public.cells FINAL WHERE grain = 'school_app_week' AND cells.users IS NOT NULL;

CREATE VIEW IF NOT EXISTS ${database}_public.v_class_week ${on_cluster} AS
SELECT start AS week, place AS uai, kind AS class_id, assumeNotNull(users) AS users, final
FROM ${database}_public.cells FINAL WHERE grain = 'class_week' AND cells.users IS NOT NULL;

-- The same grains in the exact reading, under the same names and with the same columns, and with one more: persons, the
-- state from which `ent publish` makes the published figure. A grain is defined here and nowhere else.
CREATE VIEW IF NOT EXISTS ${database}.v_territory_day ${on_cluster} AS
SELECT slice AS day,
  uniqExactMergeStateIf(used.users, type = 'login') AS persons, finalizeAggregation(persons) AS users,
  sumIf(events_once, type = 'login') AS logins, sumIf(events_once, type = 'app_visit') AS visits,
  true AS final
FROM ${database}.v_usage_by_day AS used
WHERE uai IN (SELECT uai FROM ${database}.v_schools)
GROUP BY day HAVING users > 0;

CREATE VIEW IF NOT EXISTS ${database}.v_territory_profile_day ${on_cluster} AS
SELECT slice AS day, used.profile AS profile,
  uniqExactMergeStateIf(used.users, type = 'login') AS persons, finalizeAggregation(persons) AS users,
  sumIf(events_once, type = 'login') AS logins, sumIf(events_once, type = 'app_visit') AS visits,
  true AS final
FROM ${database}.v_usage_by_day AS used
WHERE uai IN (SELECT uai FROM ${database}.v_schools)
GROUP BY day, profile HAVING users > 0;

CREATE VIEW IF NOT EXISTS ${database}.v_territory_profile_hour ${on_cluster} AS
SELECT toDate(slice, 'Europe/Paris') AS day, used.profile AS profile,
  toHour(toTimeZone(slice, 'Europe/Paris')) AS hour,
  uniqExactMergeStateIf(used.users, type = 'login') AS persons, finalizeAggregation(persons) AS users,
  sumIf(events_once, type = 'login') AS logins, true AS final
FROM ${database}.v_usage_by_hour AS used
WHERE uai IN (SELECT uai FROM ${database}.v_schools)
GROUP BY day, profile, hour HAVING users > 0;

CREATE VIEW IF NOT EXISTS ${database}.v_circonscription_profile_day ${on_cluster} AS
SELECT slice AS day, school.circonscription AS circonscription, used.profile AS profile,
  uniqExactMergeStateIf(used.users, type = 'login') AS persons, finalizeAggregation(persons) AS users,
  sumIf(events_once, type = 'login') AS logins, sumIf(events_once, type = 'app_visit') AS visits,
  true AS final
FROM ${database}.v_usage_by_day AS used
INNER JOIN ${database}.v_schools AS school ON school.uai = used.uai
GROUP BY day, circonscription, profile HAVING users > 0;

CREATE VIEW IF NOT EXISTS ${database}.v_pole_profile_day ${on_cluster} AS
SELECT slice AS day, school.pole AS pole,
  if(used.profile IN ('eleve', 'parent'), used.profile, 'adulte') AS profile,
  uniqExactMergeStateIf(used.users, type = 'login') AS persons, finalizeAggregation(persons) AS users,
  sumIf(events_once, type = 'login') AS logins, sumIf(events_once, type = 'app_visit') AS visits,
  true AS final
FROM ${database}.v_usage_by_day AS used
INNER JOIN ${database}.v_schools AS school ON school.uai = used.uai
GROUP BY day, pole, profile HAVING users > 0;

CREATE VIEW IF NOT EXISTS ${database}.v_school_day ${on_cluster} AS
SELECT slice AS day, uai,
  uniqExactMergeStateIf(used.users, type = 'login') AS persons, finalizeAggregation(persons) AS users,
  sumIf(events, type = 'login') AS logins, sumIf(events, type = 'app_visit') AS visits, true AS final
FROM ${database}.v_usage_by_day AS used
WHERE uai IN (SELECT uai FROM ${database}.v_schools)
GROUP BY day, uai HAVING users > 0;

CREATE VIEW IF NOT EXISTS ${database}.v_school_profile_day ${on_cluster} AS
SELECT slice AS day, uai, if(used.profile IN ('eleve', 'parent'), used.profile, 'adulte') AS profile,
  uniqExactMergeStateIf(used.users, type = 'login') AS persons, finalizeAggregation(persons) AS users,
  sumIf(events, type = 'login') AS logins, sumIf(events, type = 'app_visit') AS visits, true AS final
FROM ${database}.v_usage_by_day AS used
WHERE uai IN (SELECT uai FROM ${database}.v_schools)
GROUP BY day, uai, profile HAVING users > 0;

CREATE VIEW IF NOT EXISTS ${database}.v_school_app_day ${on_cluster} AS
SELECT slice AS day, uai, app,
  uniqExactMergeStateIf(used.users, type = 'app_visit') AS persons, finalizeAggregation(persons) AS users,
  sumIf(events, type = 'app_visit') AS visits, true AS final
FROM ${database}.v_app_usage_by_day AS used
WHERE uai IN (SELECT uai FROM ${database}.v_schools)
GROUP BY day, uai, app HAVING users > 0;

CREATE VIEW IF NOT EXISTS ${database}.v_school_hour ${on_cluster} AS
SELECT toDate(slice, 'Europe/Paris') AS day, uai, toHour(toTimeZone(slice, 'Europe/Paris')) AS hour,
  uniqExactMergeStateIf(used.users, type = 'login') AS persons, finalizeAggregation(persons) AS users,
  sumIf(events, type = 'login') AS logins, true AS final
FROM ${database}.v_usage_by_hour AS used
WHERE uai IN (SELECT uai FROM ${database}.v_schools)
GROUP BY day, uai, hour HAVING users > 0;

CREATE VIEW IF NOT EXISTS ${database}.v_class_day ${on_cluster} AS
SELECT slice AS day, uai, class_id,
  uniqExactMergeStateIf(used.users, type = 'login') AS persons, finalizeAggregation(persons) AS users,
  true AS final
FROM ${database}.v_usage_by_day AS used
WHERE uai IN (SELECT uai FROM ${database}.v_schools) AND class_id NOT IN ('', 'unmapped') AND used.profile = 'eleve'
GROUP BY day, uai, class_id HAVING users > 0;

CREATE VIEW IF NOT EXISTS ${database}.v_school_week ${on_cluster} AS
SELECT toMonday(slice) AS week, uai,
  uniqExactMergeStateIf(used.users, type = 'login') AS persons, finalizeAggregation(persons) AS users,
  sumIf(events, type = 'login') AS logins, sumIf(events, type = 'app_visit') AS visits, true AS final
FROM ${database}.v_usage_by_day AS used
WHERE uai IN (SELECT uai FROM ${database}.v_schools)
GROUP BY week, uai HAVING users > 0;

CREATE VIEW IF NOT EXISTS ${database}.v_school_profile_week ${on_cluster} AS
SELECT toMonday(slice) AS week, uai, if(used.profile IN ('eleve', 'parent'), used.profile, 'adulte') AS profile,
  uniqExactMergeStateIf(used.users, type = 'login') AS persons, finalizeAggregation(persons) AS users,
  sumIf(events, type = 'login') AS logins, sumIf(events, type = 'app_visit') AS visits, true AS final
FROM ${database}.v_usage_by_day AS used
WHERE uai IN (SELECT uai FROM ${database}.v_schools)
GROUP BY week, uai, profile HAVING users > 0;

CREATE VIEW IF NOT EXISTS ${database}.v_school_app_week ${on_cluster} AS
SELECT toMonday(slice) AS week, uai, app,
  uniqExactMergeStateIf(used.users, type = 'app_visit') AS persons, finalizeAggregation(persons) AS users,
  sumIf(events, type = 'app_visit') AS visits, true AS final
FROM ${database}.v_app_usage_by_day AS used
WHERE uai IN (SELECT uai FROM ${database}.v_schools)
GROUP BY week, uai, app HAVING users > 0;

CREATE VIEW IF NOT EXISTS ${database}.v_class_week ${on_cluster} AS
SELECT toMonday(slice) AS week, uai, class_id,
  uniqExactMergeStateIf(used.users, type = 'login') AS persons, finalizeAggregation(persons) AS users,
  true AS final
FROM ${database}.v_usage_by_day AS used
WHERE uai IN (SELECT uai FROM ${database}.v_schools) AND class_id NOT IN ('', 'unmapped') AND used.profile = 'eleve'
GROUP BY week, uai, class_id HAVING users > 0;
