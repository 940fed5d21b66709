-- Alerts. The life of an alert is a list of steps that are only ever added: opened, worsened (any number of times), resolved.
-- The same pass done twice writes the same rows. Dashboards read v_alerts (one row for each alert, `open` says whether it
-- stands) and v_school_health (the scores of every pass).

CREATE TABLE IF NOT EXISTS ${database}.alert_steps ${on_cluster} (
  alert_id String COMMENT 'made from what it is about and when it was opened',
  step UInt16 COMMENT 'from 1 on',
  what LowCardinality(String) COMMENT 'opened, worsened, resolved; told: a digest, which never stands',
  at DateTime('UTC') COMMENT 'on the clock of the service',
  kind LowCardinality(String) COMMENT 'ecole_en_baisse, ecole_silencieuse, ecole_fermee_non_declaree, plateforme_en_baisse, flux_interrompu, serie_eteinte, doublons, calendrier_expire, baisse_lente, bulletin_hebdomadaire',
  topic String COMMENT 'what it is about; one alert at most stands for each',
  uai LowCardinality(String) COMMENT 'empty: not about one school',
  profile LowCardinality(String) COMMENT 'empty: not about one profile',
  since DateTime('UTC') COMMENT 'when what it tells most likely began',
  level UInt8 COMMENT '1 for the digest only, 2 alert, 3 grave',
  observed Nullable(Float64) COMMENT 'connections since then; null: fewer than k persons, or not a count',
  expected Nullable(Float64),
  evidence Float64 COMMENT 'nats',
  limit Float64 COMMENT 'that the evidence had to pass, nats',
  title String COMMENT 'what French readers see',
  text String,
  details String COMMENT 'JSON: references, classes, profiles, applications, link',
  written_at DateTime64(3, 'UTC'))
ENGINE = ${replicated}ReplacingMergeTree(written_at)
ORDER BY (alert_id, step);

-- What was told to whom: a step that has no row 'sent', 'withheld' or 'given_up' for a channel is still to be told there.
CREATE TABLE IF NOT EXISTS ${database}.alert_deliveries ${on_cluster} (
  alert_id String,
  step UInt16,
  channel LowCardinality(String) COMMENT 'email or webhook',
  outcome LowCardinality(String) COMMENT 'sent, failed (is tried again), withheld (muted or acknowledged), given_up',
  attempts UInt16,
  error String,
  at DateTime('UTC'),
  version UInt64 COMMENT 'microseconds')
ENGINE = ${replicated}ReplacingMergeTree(version)
ORDER BY (alert_id, step, channel);

CREATE TABLE IF NOT EXISTS ${database}.alert_mutes ${on_cluster} (
  mute_id String,
  uai LowCardinality(String) COMMENT 'empty: every school',
  kind LowCardinality(String) COMMENT 'empty: every kind',
  starts DateTime('UTC'),
  ends DateTime('UTC'),
  note String,
  withdrawn Bool,
  version UInt64)
ENGINE = ${replicated}ReplacingMergeTree(version)
ORDER BY mute_id;

CREATE TABLE IF NOT EXISTS ${database}.alert_acks ${on_cluster} (
  alert_id String,
  note String,
  at DateTime('UTC'))
ENGINE = ${replicated}ReplacingMergeTree(at)
ORDER BY alert_id;

-- What operators know: real incidents, and alerts that were none. Precision, recall and time to detect come from these.
CREATE TABLE IF NOT EXISTS ${database}.alert_labels ${on_cluster} (
  label_id String,
  alert_id String COMMENT 'empty: an incident that no alert told of',
  uai LowCardinality(String) COMMENT 'empty: the whole platform',
  starts DateTime('UTC'),
  ends DateTime('UTC'),
  verdict LowCardinality(String) COMMENT 'incident, fermeture, fausse_alerte',
  note String,
  at DateTime('UTC'))
ENGINE = ${replicated}ReplacingMergeTree(at)
ORDER BY label_id;

CREATE TABLE IF NOT EXISTS ${database}.school_health ${on_cluster} (
  at DateTime('UTC') COMMENT 'end of the bin up to which was judged',
  uai LowCardinality(String),
  profile LowCardinality(String) COMMENT 'empty: all that are judged together',
  observed Float64 COMMENT 'connections of the last hour',
  expected Float64,
  low Float64 COMMENT '95 % of such hours lie between low and high',
  high Float64,
  day_observed Float64 COMMENT 'connections of the day so far; of all profiles together',
  day_expected Float64,
  evidence Float64 COMMENT 'of the test that is nearest to its limit, nats',
  limit Float64,
  test LowCardinality(String) COMMENT 'which test that is',
  severity Float64 COMMENT 'evidence / limit',
  information Float64 COMMENT 'nats that an hour of silence would bring now',
  references UInt16 COMMENT 'days of this weekday that were learned from',
  state LowCardinality(String) COMMENT 'normal, a_surveiller, en_alerte, or why nothing is said',
  written_at DateTime64(3, 'UTC'))
ENGINE = ${replicated}ReplacingMergeTree(written_at)
PARTITION BY toYYYYMM(at)
ORDER BY (at, uai, profile);

CREATE VIEW IF NOT EXISTS ${database}.v_school_health ${on_cluster} AS
SELECT * EXCEPT written_at FROM ${database}.school_health FINAL;

CREATE VIEW IF NOT EXISTS ${database}.v_alert_steps ${on_cluster} AS
SELECT * EXCEPT written_at FROM ${database}.alert_steps FINAL;

CREATE VIEW IF NOT EXISTS ${database}.v_alerts ${on_cluster} AS
SELECT s.alert_id AS alert_id, last.1 AS kind, last.2 AS uai, last.3 AS profile, last.4 AS level, last.5 AS title, last.6 AS text,
  last.7 AS observed, last.8 AS expected, last.9 AS evidence, last.10 AS limit, s.topic AS topic, s.since AS since, s.opened_at AS opened_at,
  if(last.11 = 'resolved', last.12, NULL) AS resolved_at, last.11 NOT IN ('resolved', 'told') AS open, s.steps AS steps,
  s.details AS details, k.alert_id != '' AS acknowledged
FROM (
  SELECT alert_id, any(alert_steps.topic) AS topic, min(alert_steps.since) AS since, min(at) AS opened_at, max(step) AS steps, argMin(alert_steps.details, step) AS details,
    argMax((kind, uai, profile, level, title, text, observed, expected, evidence, limit, what, at), step) AS last
  FROM ${database}.alert_steps FINAL GROUP BY alert_id) AS s
LEFT JOIN (SELECT alert_id FROM ${database}.alert_acks FINAL) AS k ON s.alert_id = k.alert_id;
