-- Persons who were erased: what comes of them again is dropped, until their key's year and the retention are over.
CREATE TABLE IF NOT EXISTS ${database}.erased ${on_cluster} (
  user_key UInt64 COMMENT '64 bits of a pseudonym of one school year',
  until DateTime('UTC') COMMENT 'when what it protects from can no longer be read in',
  receipt UUID COMMENT 'of the erasure')
ENGINE = ${replicated}ReplacingMergeTree(until)
ORDER BY user_key
TTL until;

-- Receipts: what was erased when, and not of whom.
CREATE TABLE IF NOT EXISTS ${database}.erasures ${on_cluster} (
  receipt UUID,
  at DateTime64(3, 'UTC'),
  keys UInt16 COMMENT 'school years whose key was held',
  events UInt64 COMMENT 'rows, repeated deliveries included',
  dead_letters UInt64,
  minutes UInt64 COMMENT 'windows that were counted anew')
ENGINE = ${replicated}ReplacingMergeTree(at)
ORDER BY receipt;
