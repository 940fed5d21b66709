-- name: figures
-- One statement for the figures of the chain as a whole.
WITH @moments,
  (SELECT sum(accepted) FROM v_offsets) AS accepted,
  (SELECT sum(events_once) FROM v_usage_by_day) AS counted,
  (SELECT max(activated_at) FROM v_directory_revisions) AS directory,
  (SELECT max(after) FROM v_school_time_horizon) AS horizon
SELECT any(if(partitions = 0, NULL, dateDiff('second', complete_through, $__toTime))) AS `Fraîcheur`, any(lag) AS `Retard`,
  (SELECT sum(missing) FROM v_offsets) AS `Offsets sans issue`, toInt64(accepted) - toInt64(counted) AS `Doublons absorbés`,
  round(dateDiff('second', directory, $__toTime) / 86400, 1) AS `Âge de l’annuaire`,
  if(horizon = toDate(0), NULL, toInt64(horizon) - toInt64(today)) AS `Horizon du calendrier`
FROM v_complete

-- name: step
-- Width of a bar, in seconds: a minute, or more for a long period.
greatest(60, 60 * intDiv(dateDiff('second', $__fromTime, $__toTime), 60 * 300))

-- name: throughput
SELECT toDateTime(intDiv(toUnixTimestamp(slice), @step) * @step) AS time, type, round(sum(events_once) * 60 / @step, 1) AS evenements
FROM v_usage_by_minute WHERE $__timeFilter(slice)
GROUP BY time, type ORDER BY time, type

-- name: delays
-- From what happened to its arrival in Kafka, by the moment of arrival; events that arrived more than a day late are left out.
SELECT toDateTime(intDiv(toUnixTimestamp(toDateTime(arrived_at)), @step) * @step) AS time,
  round(quantile(0.5)(delay), 2) AS `Médiane`, round(quantile(0.95)(delay), 2) AS `p95`
FROM (
  SELECT arrived_at, greatest(0, toFloat64(arrived_at) - toFloat64(event_time)) AS delay FROM v_events
  WHERE event_time >= subtractDays($__fromTime, 1) AND event_time <= $__toTime AND arrived_at >= $__fromTime AND arrived_at <= $__toTime)
GROUP BY time ORDER BY time

-- name: late
-- Of what happened and arrived in the period, which is the panel's own.
SELECT toDateTime(intDiv(toUnixTimestamp(toDateTime(arrived_at)), @step) * @step) AS time,
  countIf(arrived_at - event_time > 3600) AS `Plus d’une heure`, countIf(arrived_at - event_time > 86400) AS `Plus d’un jour`
FROM v_events
WHERE $__timeFilter(event_time) AND arrived_at >= $__fromTime AND arrived_at <= $__toTime
GROUP BY time ORDER BY time

-- name: partitions
SELECT topic AS `Topic`, partition AS `Partition`, lag AS `Retard`, complete_through AS `Complet jusqu’à`,
  dateDiff('second', complete_through, $__toTime) AS `Âge`
FROM v_progress ORDER BY `Retard` DESC, `Topic`, `Partition` LIMIT 500

-- name: ledger
SELECT topic AS `Topic`, partition AS `Partition`, incarnation AS incarnation_id, first AS `Premier`, next AS `Suivant`, accepted AS `Acceptés`, rejected AS `Refusés`,
  dropped AS `Écartés`, missing AS `Sans issue`, if(missing = 0, 'Fermé', 'Ouvert') AS `Grand livre`
FROM v_offsets ORDER BY missing DESC, `Topic`, `Partition`, incarnation DESC LIMIT 500

-- name: refusals
SELECT toDateTime(intDiv(toUnixTimestamp(toDateTime(arrived_at)), @step) * @step) AS time, toString(reason) AS motif, count() AS enregistrements
FROM v_dead_letters WHERE arrived_at >= $__fromTime AND arrived_at <= $__toTime
GROUP BY time, motif ORDER BY time, motif

-- name: refusals_listed
SELECT reason AS `Motif`, if(format = '', '—', format) AS `Format`, topic AS `Topic`, count() AS `Enregistrements`, uniqExact(school) AS `Écoles`, max(arrived_at) AS `Dernier`
FROM v_dead_letters WHERE arrived_at >= $__fromTime AND arrived_at <= $__toTime
GROUP BY `Motif`, `Format`, `Topic` ORDER BY `Enregistrements` DESC, `Motif` LIMIT 100

-- name: dropped
SELECT reason AS `Motif`, sum(next - first) AS `Offsets`, count() AS `Plages` FROM v_dropped
GROUP BY `Motif` ORDER BY `Offsets` DESC, `Motif`

-- name: storage
SELECT table AS `Table`, sum(parts) AS `Parties`, max(parts) AS `Au plus par partition`, sum(rows) AS `Lignes`, sum(bytes) AS `Octets`,
  if(`Lignes` = 0, NULL, round(`Octets` / `Lignes`, 1)) AS `Octets par ligne`, max(written_at) AS `Dernière écriture`
FROM v_parts GROUP BY table ORDER BY `Octets` DESC, `Table`

-- name: server
SELECT transform(name, ['MemoryTracking', 'Query', 'Merge', 'PartsActive', 'InsertQuery', 'InsertedRows', 'SelectQuery', 'MergedRows', 'OSCPUVirtualTimeMicroseconds'],
  ['Mémoire (Mo)', 'Requêtes en cours', 'Fusions en cours', 'Parties actives', 'Insertions depuis le démarrage', 'Lignes insérées depuis le démarrage',
   'Lectures depuis le démarrage', 'Lignes fusionnées depuis le démarrage', 'Processeur depuis le démarrage (s)']) AS `Mesure`,
  multiIf(name = 'MemoryTracking', round(value / 1e6, 1), name = 'OSCPUVirtualTimeMicroseconds', round(value / 1e6, 1), value) AS `Valeur`
FROM v_server ORDER BY `Mesure`

-- name: unmapped
SELECT round(100 * sumIf(events_once, uai = 'unmapped' OR class_id = 'unmapped') / sum(events_once), 2) AS part
FROM v_usage_by_hour WHERE slice >= subtractDays($__toTime, 1) AND slice <= $__toTime HAVING sum(events_once) > 0
