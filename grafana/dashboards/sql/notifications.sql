-- name: told
-- Notifications of the chosen schools and applications, those that were sent and those that were opened.
$__timeFilter(event_time) AND @with_school AND @apps_chosen

-- name: sent
@told AND stage != 'opened'

-- name: counts
-- One statement for four figures. An opening that is never told is unknown rather than none.
SELECT countIf(stage != 'opened') AS `Envoyées`, sumIf(recipients, stage != 'opened') AS `Destinataires`,
  if(`Envoyées` = 0, NULL, round(`Destinataires` / `Envoyées`, 1)) AS `Destinataires par envoi`,
  nullIf(countIf(stage = 'opened'), 0) AS `Ouvertes`
FROM v_notifications WHERE @told HAVING count() > 0

-- name: per_school
-- Every deployed school counts, those that sent nothing too.
SELECT quantileExactInclusive(0.5)(n) AS `Médiane par école`, countIf(n = 0) AS `Écoles sans envoi` FROM (
  SELECT school.uai, countIf(used.uai != '') AS n FROM (SELECT uai FROM v_schools WHERE @schools) AS school
  LEFT JOIN (
    SELECT toString(arrayJoin(arrayPushFront(arrayMap(u -> toString(u), other_uai), toString(uai)))) AS uai
    FROM v_notifications WHERE @sent) AS used ON used.uai = school.uai
  GROUP BY school.uai)
HAVING count() > 0 AND @exact

-- name: daily
SELECT toDateTime(toDate(used.event_time, 'Europe/Paris'), 'Europe/Paris') AS time, @app_label AS application, count() AS notifications
FROM (SELECT event_time, app FROM v_notifications WHERE @sent) AS used
LEFT JOIN v_applications AS labels ON labels.app = used.app
GROUP BY time, application ORDER BY time, application

-- name: by_hour
SELECT formatDateTime(toDateTime(3600 * hour, 'UTC'), '%H:00') AS `Heure`, n AS `Notifications` FROM (
  SELECT toHour(event_time, 'Europe/Paris') AS hour, count() AS n FROM v_notifications WHERE @sent GROUP BY hour)
ORDER BY hour

-- name: by_sender
SELECT @profile_label AS `Profil`, count() AS `Notifications` FROM (SELECT profile FROM v_notifications WHERE @sent) AS used
LEFT JOIN v_profiles AS labels ON labels.profile = used.profile
GROUP BY `Profil` ORDER BY `Notifications` DESC, `Profil`

-- name: by_recipient
SELECT said.1 AS `Profil`, said.2 AS `Destinataires` FROM (
  SELECT arrayJoin([('Élèves', sum(recipients_eleve)), ('Parents', sum(recipients_parent)),
    ('Enseignants', sum(recipients_enseignant)), ('Personnels', sum(recipients_personnel)),
    ('Profil non précisé', toUInt64(sum(recipients) - least(sum(recipients), sum(recipients_eleve) + sum(recipients_parent)
      + sum(recipients_enseignant) + sum(recipients_personnel))))]) AS said
  FROM v_notifications WHERE @sent HAVING count() > 0)
ORDER BY `Destinataires` DESC, `Profil`

-- name: by_app
SELECT @app_label AS `Application`, countIf(used.stage != 'opened') AS `Envoyées`, sumIf(used.recipients, used.stage != 'opened') AS `Destinataires`,
  countIf(used.stage = 'opened') AS `Ouvertes`,
  if(`Ouvertes` = 0 OR `Destinataires` = 0, NULL, round(100 * `Ouvertes` / `Destinataires`, 1)) AS `Part ouverte`
FROM (SELECT app, stage, recipients FROM v_notifications WHERE @told) AS used
LEFT JOIN v_applications AS labels ON labels.app = used.app
GROUP BY `Application` ORDER BY `Envoyées` DESC, `Application`

-- name: by_school
SELECT school.uai AS ecole_id, school.name AS `École`, school.pole AS `Pôle`, countIf(used.uai != '') AS `Envoyées`,
  sum(used.recipients) AS `Destinataires`, if(any(class.n) = 0, NULL, round(`Envoyées` / any(class.n), 1)) AS `Par classe`
FROM (SELECT * FROM v_schools WHERE @schools) AS school
LEFT JOIN (
  SELECT toString(arrayJoin(arrayPushFront(arrayMap(u -> toString(u), other_uai), toString(uai)))) AS uai, recipients
  FROM v_notifications WHERE @sent) AS used ON used.uai = school.uai
LEFT JOIN (SELECT uai, count() AS n FROM v_classes GROUP BY uai) AS class ON class.uai = school.uai
WHERE @exact GROUP BY school.uai, school.name, school.pole ORDER BY `Envoyées` DESC, `École`

-- name: choose_app
SELECT app, label FROM v_applications WHERE app IN (SELECT app FROM v_app_usage_by_day WHERE type = 'notification') OR @public ORDER BY label
