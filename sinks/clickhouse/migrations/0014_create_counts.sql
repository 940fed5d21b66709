-- Plain exact counts, kept when the states that they come from have expired. Written by `ent publish`: when the late
-- events of a window are in, and once more before its events expire.
CREATE TABLE IF NOT EXISTS ${database}.counts ${on_cluster} (
  grain LowCardinality(String) COMMENT 'one of the fixed list: sinks.clickhouse.grains',
  start Date COMMENT 'first day of the window, in Paris',
  place LowCardinality(String) COMMENT 'UAI, pole or circonscription by grain; empty: the whole territory',
  kind LowCardinality(String) COMMENT 'profile, application, hour or class, by grain',
  users UInt64 COMMENT 'persons',
  logins Nullable(UInt64),
  visits Nullable(UInt64),
  version UInt64 COMMENT 'clock of the database, microseconds')
ENGINE = ${replicated}ReplacingMergeTree(version)
PARTITION BY toYYYYMM(start)
ORDER BY (grain, start, place, kind);

CREATE VIEW IF NOT EXISTS ${database}.v_counts ${on_cluster} AS
SELECT grain, start, place, kind, users, logins, visits FROM ${database}.counts FINAL WHERE users > 0;

-- Of which windows counts were kept, and at which age of theirs.
CREATE TABLE IF NOT EXISTS ${database}.counts_kept ${on_cluster} (
  grain LowCardinality(String),
  start Date,
  age_days UInt16 COMMENT 'days since the window closed, at least',
  version UInt64 COMMENT 'clock of the database, microseconds')
ENGINE = ${replicated}ReplacingMergeTree(version)
PARTITION BY toYYYYMM(start)
ORDER BY (grain, start);

-- Months, which are kept and not published.
CREATE VIEW IF NOT EXISTS ${database}.v_territory_month ${on_cluster} AS
SELECT toStartOfMonth(slice) AS month,
  uniqExactMergeStateIf(used.users, type = 'login') AS persons, finalizeAggregation(persons) AS users,
  sumIf(events_once, type = 'login') AS logins, sumIf(events_once, type = 'app_visit') AS visits, true AS final
FROM ${database}.v_usage_by_day AS used
WHERE uai IN (SELECT uai FROM ${database}.v_schools)
GROUP BY month HAVING users > 0;

CREATE VIEW IF NOT EXISTS ${database}.v_territory_profile_month ${on_cluster} AS
SELECT toStartOfMonth(slice) AS month, used.profile AS profile,
  uniqExactMergeStateIf(used.users, type = 'login') AS persons, finalizeAggregation(persons) AS users,
  sumIf(events_once, type = 'login') AS logins, sumIf(events_once, type = 'app_visit') AS visits, true AS final
FROM ${database}.v_usage_by_day AS used
WHERE uai IN (SELECT uai FROM ${database}.v_schools)
GROUP BY month, profile HAVING users > 0;

CREATE VIEW IF NOT EXISTS ${database}.v_school_month ${on_cluster} AS
SELECT toStartOfMonth(slice) AS month, uai,
  uniqExactMergeStateIf(used.users, type = 'login') AS persons, finalizeAggregation(persons) AS users,
  sumIf(events, type = 'login') AS logins, sumIf(events, type = 'app_visit') AS visits, true AS final
FROM ${database}.v_usage_by_day AS used
WHERE uai IN (SELECT uai FROM ${database}.v_schools)
GROUP BY month, uai HAVING users > 0;

CREATE VIEW IF NOT EXISTS ${database}.v_school_profile_month ${on_cluster} AS
SELECT toStartOfMonth(slice) AS month, uai,
  if(used.profile IN ('eleve', 'parent'), used.profile, 'adulte') AS profile,
  uniqExactMergeStateIf(used.users, type = 'login') AS persons, finalizeAggregation(persons) AS users,
  sumIf(events, type = 'login') AS logins, sumIf(events, type = 'app_visit') AS visits, true AS final
FROM ${database}.v_usage_by_day AS used
WHERE uai IN (SELECT uai FROM ${database}.v_schools)
GROUP BY month, uai, profile HAVING users > 0;

CREATE VIEW IF NOT EXISTS ${database}.v_school_app_month ${on_cluster} AS
SELECT toStartOfMonth(slice) AS month, uai, app,
  uniqExactMergeStateIf(used.users, type = 'app_visit') AS persons, finalizeAggregation(persons) AS users,
  sumIf(events, type = 'app_visit') AS visits, true AS final
FROM ${database}.v_app_usage_by_day AS used
WHERE uai IN (SELECT uai FROM ${database}.v_schools)
GROUP BY month, uai, app HAVING users > 0;
