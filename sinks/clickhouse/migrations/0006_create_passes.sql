-- The versions of passes over windows: each pass writes one that is higher than all before, and merges keep the highest.
CREATE TABLE IF NOT EXISTS ${database}.passes ${on_cluster} (
  version UInt64 COMMENT 'drawn before a pass; its order is that of the passes, whatever a clock says')
ENGINE = ${replicated}ReplacingMergeTree(version)
ORDER BY tuple();
