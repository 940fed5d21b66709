-- name: told
-- Alerts about schools that were opened in the period, with what operators said of them ('' for nothing yet).
SELECT alert.*, said.verdict AS verdict, said.starts AS began FROM (
  SELECT alert_id, kind, uai, title, text, observed, expected, evidence, limit, since, opened_at, resolved_at, open FROM v_alerts
  WHERE uai != '' AND opened_at >= $__fromTime AND opened_at <= $__toTime AND @schools) AS alert
LEFT JOIN (SELECT alert_id, toString(verdict) AS verdict, starts FROM v_alert_labels WHERE alert_id != '') AS said ON said.alert_id = alert.alert_id

-- name: missed
SELECT uai, starts, ends, note FROM v_alert_labels
WHERE alert_id = '' AND verdict = 'incident' AND uai != '' AND starts >= $__fromTime AND starts <= $__toTime AND @schools

-- name: figures
-- One statement for six figures. Nothing was judged: no precision, rather than a bad one.
WITH (SELECT count() FROM (@missed)) AS missed_count,
  (SELECT count() FROM v_schools WHERE @schools) AS school_count,
  dateDiff('second', $__fromTime, $__toTime) / 2629800 AS months
SELECT count() AS `Alertes`, countIf(open) AS `En cours`,
  if(countIf(verdict != '') = 0, NULL, round(100 * countIf(verdict IN ('incident', 'fermeture')) / countIf(verdict != ''), 1)) AS `Précision`,
  if(countIf(verdict = 'incident') + missed_count = 0, NULL,
    round(100 * countIf(verdict = 'incident') / (countIf(verdict = 'incident') + missed_count), 1)) AS `Rappel`,
  if(countIf(verdict = 'incident') = 0, NULL,
    quantileExactInclusiveIf(0.5)(dateDiff('minute', began, opened_at), verdict = 'incident')) AS `Délai médian`,
  if(school_count = 0, NULL, round(countIf(verdict = 'fausse_alerte') / school_count / months, 3)) AS `Fausses alertes`
FROM (@told)

-- name: verdict_label
transform(verdict, ['incident', 'fermeture', 'fausse_alerte', ''], ['Incident', 'Fermeture', 'Fausse alerte', 'À juger'])

-- name: weekly
SELECT toDateTime(toMonday(toDate(opened_at, 'Europe/Paris')), 'Europe/Paris') AS time, @verdict_label AS verdict_label, count() AS alertes
FROM (@told) GROUP BY time, verdict_label ORDER BY time, verdict_label

-- name: listed
SELECT alert.uai AS ecole_id, school.name AS `École`, alert.kind AS `Type`, alert.opened_at AS `Ouverte`, alert.resolved_at AS `Close`,
  round(alert.observed) AS `Observé`, round(alert.expected) AS `Attendu`, round(alert.evidence / nullIf(alert.limit, 0), 1) AS `Force`,
  if(alert.verdict = 'incident', dateDiff('minute', alert.began, alert.opened_at), NULL) AS `Délai`,
  transform(alert.verdict, ['incident', 'fermeture', 'fausse_alerte', ''], ['Incident', 'Fermeture', 'Fausse alerte', 'À juger']) AS `Verdict`
FROM (@told) AS alert LEFT JOIN v_schools AS school ON school.uai = alert.uai
ORDER BY `Ouverte` DESC, `École` LIMIT 500

-- name: missed_listed
SELECT missed.uai AS ecole_id, school.name AS `École`, missed.starts AS `Début`, missed.ends AS `Fin`, if(missed.note = '', '—', missed.note) AS `Note`
FROM (@missed) AS missed LEFT JOIN v_schools AS school ON school.uai = missed.uai
ORDER BY `Début` DESC, `École` LIMIT 500

-- name: kinds
SELECT transform(toString(kind), ['ecole_en_baisse', 'ecole_silencieuse', 'ecole_fermee_non_declaree', 'serie_eteinte', 'baisse_lente'],
  ['École en baisse', 'École silencieuse', 'Fermeture non déclarée', 'Série éteinte', 'Baisse lente'], toString(kind)) AS `Type`,
  count() AS `Alertes` FROM (@told) GROUP BY `Type` ORDER BY `Alertes` DESC, `Type`

-- name: states
-- Of each school, how the last pass of the period judged it.
SELECT school.uai AS ecole_id, school.name AS `École`, health.last.1 AS `État`, round(health.last.2) AS `Dernière heure`,
  round(health.last.3, 1) AS `Attendu`, if(health.uai = '', NULL, health.judged_at) AS `Jugée à`
FROM (SELECT uai, name FROM v_schools WHERE @schools) AS school
LEFT JOIN (
  SELECT uai, max(at) AS judged_at, argMax((toString(state), observed, expected), at) AS last FROM v_school_health
  WHERE profile = '' AND at >= subtractDays($__toTime, 7) AND at <= $__toTime GROUP BY uai) AS health ON health.uai = school.uai
ORDER BY `État`, `École`
