-- name: cut_hours
-- Hours in which a moment of school time begins at a later minute than the first, and those that the period may cut: they
-- are read by the minute, and all others whole.
SELECT toStartOfHour(starts) FROM v_school_time
WHERE starts >= toStartOfHour($__fromTime) AND starts <= $__toTime AND toMinute(starts) > 0 AND @schools
UNION ALL SELECT toStartOfHour(arrayJoin([$__fromTime, $__toTime]))

-- name: whole_hours
$__timeFilter(slice) AND slice NOT IN (@cut_hours) AND @selected

-- name: minutes_of_cut_hours
$__timeFilter(slice) AND toStartOfHour(slice) IN (@cut_hours) AND @selected

-- name: logins
-- Connections of each school, profile and moment of school time, by day of Paris. A moment that no calendar knows is ''.
SELECT toDate(used.slice, 'Europe/Paris') AS day, used.uai AS uai, used.profile AS profile, moment.category AS category,
  toHour(used.slice, 'Europe/Paris') AS hour, sum(used.events) AS events, sum(used.events_once) AS events_once
FROM (
  SELECT slice, uai, profile, events, events_once FROM v_usage_by_hour WHERE type = 'login' AND @whole_hours
  UNION ALL
  SELECT slice, uai, profile, events, events_once FROM v_usage_by_minute WHERE type = 'login' AND @minutes_of_cut_hours) AS used
ASOF LEFT JOIN v_school_time AS moment ON moment.uai = used.uai AND used.slice >= moment.starts
GROUP BY day, uai, profile, category, hour

-- name: shares
-- Of what the calendar knows; one statement for five figures.
SELECT @share_of(outside) AS `Hors temps scolaire`, @share_of(evening) AS `Soirs`, @share_of(wednesday) AS `Mercredis libres`,
  @share_of(week_end) AS `Week-ends`, @share_of(holiday) AS `Vacances et fériés`
FROM (
  SELECT category != 'classe' AS outside, category = 'soir_matin' AND hour >= 12 AS evening, category = 'mercredi_libre' AS wednesday,
    category = 'week_end' AS week_end, category IN ('vacances', 'ferie') AS holiday, @total AS n
  FROM (@logins) WHERE category != '' GROUP BY ALL)
HAVING sum(n) > 0

-- name: share_of
round(100 * sumIf(n, @column) / sum(n), 1)

-- name: moment_label
transform(toString(category), ['classe', 'pause_meridienne', 'soir_matin', 'mercredi_libre', 'jour_libre', 'week_end', 'ferie', 'vacances', 'fermeture', ''],
  ['Classe', 'Pause méridienne', 'Soir et matin', 'Mercredi libre', 'Jour libre', 'Week-end', 'Jour férié', 'Vacances', 'Fermeture', 'Hors calendrier'])

-- name: daily
SELECT toDateTime(day, 'Europe/Paris') AS time, @moment_label AS moment, @total AS connexions
FROM (@logins) GROUP BY time, moment ORDER BY time, moment

-- name: by_moment
SELECT @moment_label AS `Moment`, @total AS `Connexions`
FROM (@logins) GROUP BY `Moment` ORDER BY `Connexions` DESC, `Moment`

-- name: weekly_by_profile
SELECT toDateTime(toMonday(day), 'Europe/Paris') AS time, @profile_label AS profil,
  round(100 * sumIf(n, category != 'classe') / sum(n), 1) AS part
FROM (SELECT day, profile, category, @total AS n FROM (@logins)
  WHERE category != '' AND toMonday(day) >= toDate($__fromTime, 'Europe/Paris') GROUP BY day, profile, category) AS used
LEFT JOIN v_profiles AS labels ON labels.profile = used.profile
GROUP BY time, profil ORDER BY time, profil

-- name: by_profile
SELECT @profile_label AS `Profil`, round(100 * sumIf(n, category != 'classe') / sum(n), 1) AS `Hors temps scolaire`
FROM (SELECT profile, category, @total AS n FROM (@logins) WHERE category != '' GROUP BY profile, category) AS used
LEFT JOIN v_profiles AS labels ON labels.profile = used.profile
GROUP BY `Profil` ORDER BY `Hors temps scolaire` DESC, `Profil`

-- name: by_app
SELECT @app_label AS `Application`, round(100 * sumIf(n, category != 'classe') / sum(n), 1) AS `Hors temps scolaire`
FROM (
  SELECT opened.app AS app, moment.category AS category, @total AS n FROM (
    SELECT slice, uai, app, events, events_once FROM v_app_usage_by_hour WHERE type = 'app_visit' AND @whole_hours
    UNION ALL
    SELECT slice, uai, app, events, events_once FROM v_app_usage_by_minute
    WHERE type = 'app_visit' AND @minutes_of_cut_hours) AS opened
  ASOF LEFT JOIN v_school_time AS moment ON moment.uai = opened.uai AND opened.slice >= moment.starts
  GROUP BY app, category) AS used
LEFT JOIN v_applications AS labels ON labels.app = used.app
WHERE category != ''
GROUP BY `Application` ORDER BY `Hors temps scolaire` DESC, `Application` LIMIT 15

-- name: paused
-- The digital pause: 20:00 to 07:00 on working days, and from Friday 20:00 to Monday 07:00.
(toHour(event_time, 'Europe/Paris') < 7 OR toHour(event_time, 'Europe/Paris') >= 20 OR toDayOfWeek(event_time, 0, 'Europe/Paris') > 5)

-- name: sent
stage != 'opened' AND $__timeFilter(event_time) AND @with_school

-- name: paused_share
SELECT round(100 * countIf(@paused) / count(), 1) AS part FROM v_notifications WHERE @sent HAVING count() > 0

-- name: paused_weekly
SELECT toDateTime(toMonday(toDate(event_time, 'Europe/Paris')), 'Europe/Paris') AS time,
  countIf(NOT @paused) AS `Hors de la pause`, countIf(@paused) AS `Dans la pause`
FROM v_notifications WHERE @sent AND toMonday(toDate(event_time, 'Europe/Paris')) >= toDate($__fromTime, 'Europe/Paris')
GROUP BY time ORDER BY time

-- name: paused_schools
SELECT school.uai AS ecole_id, school.name AS `École`, sum(used.n) AS `Envoyées`, sum(used.inside) AS `Dans la pause`,
  if(`Envoyées` = 0, NULL, round(100 * `Dans la pause` / `Envoyées`, 1)) AS `Part`
FROM (SELECT * FROM v_schools WHERE @schools) AS school
LEFT JOIN (
  SELECT toString(arrayJoin(arrayPushFront(arrayMap(u -> toString(u), other_uai), toString(uai)))) AS uai, 1 AS n, @paused AS inside
  FROM v_notifications WHERE @sent) AS used ON used.uai = school.uai
WHERE @exact GROUP BY school.uai, school.name ORDER BY `Part` DESC, `École`
