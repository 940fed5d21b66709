-- The notifications among the events, for dashboards: the few rows of their type are found before anything else is read.
-- PREWHERE is right under FINAL for a column of the sort key only.
CREATE VIEW IF NOT EXISTS ${database}.v_notifications ${on_cluster} AS
SELECT * FROM ${database}.events FINAL PREWHERE type = 'notification';
