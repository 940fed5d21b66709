-- The directory, one partition per revision; the revision in force is the last one in directory_revisions.
CREATE TABLE IF NOT EXISTS ${database}.directory_revisions ${on_cluster} (
  revision UInt64,
  content String COMMENT 'SHA-256 over the records of the revision, in hex',
  schools UInt32,
  classes UInt32,
  profiles UInt32,
  activated_at DateTime64(3, 'UTC'))
ENGINE = ${replicated}ReplacingMergeTree
ORDER BY revision;

-- What each revision consists of, as its sender says; it comes into force when all of it is there.
CREATE TABLE IF NOT EXISTS ${database}.directory_manifests ${on_cluster} (
  revision UInt64,
  schools UInt32,
  classes UInt32,
  profiles UInt32,
  content String COMMENT 'SHA-256 over the records of the revision, in hex')
ENGINE = ${replicated}ReplacingMergeTree
ORDER BY revision;

CREATE TABLE IF NOT EXISTS ${database}.schools ${on_cluster} (
  revision UInt64,
  uai LowCardinality(String),
  valid_from Date COMMENT 'first day in Paris on which this description holds',
  valid_to Date COMMENT 'first day on which it no longer holds; 2149-06-06: open',
  name String,
  commune LowCardinality(String),
  circonscription LowCardinality(String),
  pole LowCardinality(String),
  education_prioritaire LowCardinality(String) COMMENT 'REP, REP+ or empty',
  nature LowCardinality(String) COMMENT 'maternelle, elementaire, primaire',
  academie LowCardinality(String),
  zone LowCardinality(String),
  holidays LowCardinality(String) COMMENT 'subdivision for public holidays, for example 6AE',
  deployed_from Nullable(Date) COMMENT 'first day of the ENT in this school; null: not deployed',
  pilot Bool COMMENT 'belongs to the pilot group',
  mobile_classes UInt16 COMMENT 'mobile classes of 16 tablets',
  structure_ids Array(String) COMMENT 'ids under which platforms know it',
  digest FixedString(32) COMMENT 'SHA-256 of the record')
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY revision
ORDER BY (revision, uai, valid_from);

CREATE TABLE IF NOT EXISTS ${database}.classes ${on_cluster} (
  revision UInt64,
  class_id String,
  uai LowCardinality(String),
  valid_from Date,
  valid_to Date,
  label String,
  levels Array(LowCardinality(String)) COMMENT 'PS to CM2, ULIS',
  cycle LowCardinality(String),
  pupils UInt16,
  projector Bool COMMENT 'projector and PC in the room',
  teacher_trained Bool,
  pilot Bool COMMENT 'its teacher belongs to the pilot group',
  names Array(String) COMMENT 'ids and labels under which platforms send it',
  digest FixedString(32) COMMENT 'SHA-256 of the record')
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY revision
ORDER BY (revision, uai, class_id, valid_from);

CREATE TABLE IF NOT EXISTS ${database}.profiles ${on_cluster} (
  revision UInt64,
  profile LowCardinality(String),
  label String COMMENT 'what French readers see',
  dnma LowCardinality(String) COMMENT 'DNMA''s category; empty if it has none',
  rank UInt8 COMMENT 'order of display',
  digest FixedString(32) COMMENT 'SHA-256 of the record')
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY revision
ORDER BY (revision, profile);

CREATE TABLE IF NOT EXISTS ${database}.accounts ${on_cluster} (
  revision UInt64,
  uai LowCardinality(String),
  class_id String COMMENT 'empty: accounts of the school that belong to no class',
  profile LowCardinality(String),
  loaded UInt32 COMMENT 'accounts that exist',
  activated UInt32 COMMENT 'accounts that were activated')
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY revision
ORDER BY (revision, uai, class_id, profile);

-- Of each school and class, the description that holds today; of one that is still to come, the first.
CREATE VIEW IF NOT EXISTS ${database}.v_schools ${on_cluster} AS
SELECT * FROM ${database}.schools FINAL
WHERE revision = (SELECT max(revision) FROM ${database}.directory_revisions)
ORDER BY valid_from <= toDate(now('Europe/Paris')) DESC, abs(valid_from - toDate(now('Europe/Paris'))) LIMIT 1 BY uai;

CREATE VIEW IF NOT EXISTS ${database}.v_classes ${on_cluster} AS
SELECT * FROM ${database}.classes FINAL
WHERE revision = (SELECT max(revision) FROM ${database}.directory_revisions)
ORDER BY valid_from <= toDate(now('Europe/Paris')) DESC, abs(valid_from - toDate(now('Europe/Paris'))) LIMIT 1 BY class_id;

CREATE VIEW IF NOT EXISTS ${database}.v_profiles ${on_cluster} AS
SELECT * FROM ${database}.profiles FINAL
WHERE revision = (SELECT max(revision) FROM ${database}.directory_revisions);

CREATE VIEW IF NOT EXISTS ${database}.v_accounts ${on_cluster} AS
SELECT * FROM ${database}.accounts FINAL
WHERE revision = (SELECT max(revision) FROM ${database}.directory_revisions);

-- The catalogue of applications, written by `ent migrate` from the one in schemas/.
CREATE TABLE IF NOT EXISTS ${database}.applications ${on_cluster} (
  app LowCardinality(String),
  label String COMMENT 'what French readers see',
  kind LowCardinality(String) COMMENT 'NATIF or TIERS',
  service LowCardinality(String) COMMENT 'DNMA service',
  release UInt64 COMMENT 'number of the migration run that wrote it, seconds since the epoch')
ENGINE = ${replicated}ReplacingMergeTree(release)
ORDER BY app;

CREATE VIEW IF NOT EXISTS ${database}.v_applications ${on_cluster} AS SELECT app, label, kind, service FROM ${database}.applications FINAL;
