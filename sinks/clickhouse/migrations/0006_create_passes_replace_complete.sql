-- The versions of passes over windows: each pass writes one that is higher than all before, and merges keep the highest.
CREATE TABLE IF NOT EXISTS ${database}.passes ${on_cluster} (
  version UInt64 COMMENT 'drawn before a pass; its order is that of the passes, whatever a clock says')
ENGINE = ${replicated}ReplacingMergeTree(version)
ORDER BY tuple();

-- A topic that was made anew may have fewer partitions: the lines of its former log would hold the figure back for ever.
CREATE OR REPLACE VIEW ${database}.v_complete ${on_cluster} AS
SELECT min(complete_through) AS complete_through, sum(lag) AS lag, count() AS partitions
FROM ${database}.progress FINAL
WHERE (topic, incarnation) IN (
  SELECT topic, argMax(incarnation, written_at) FROM ${database}.progress FINAL GROUP BY topic);
