-- How far each bridge has read its platform: a bridge that starts again goes on from here.
CREATE TABLE IF NOT EXISTS ${database}.bridges ${on_cluster} (
  bridge LowCardinality(String) COMMENT 'label of the platform in the settings of the bridge',
  read_through DateTime64(3, 'UTC') COMMENT 'every event before it that the platform had told by then is in Kafka',
  recorded_at DateTime64(6, 'UTC') COMMENT 'clock of the database')
ENGINE = ${replicated}ReplacingMergeTree(recorded_at)
ORDER BY bridge;

ALTER TABLE ${database}.schools ${on_cluster}
  ADD COLUMN IF NOT EXISTS pupils UInt16 COMMENT 'persons; 0: not known' AFTER structure_ids,
  ADD COLUMN IF NOT EXISTS ips Nullable(Float64) COMMENT 'social index; null: not known' AFTER pupils;
