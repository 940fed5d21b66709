-- Figures of a period that several dashboards show.

-- name: activation
SELECT round(100 * sum(activated) / sum(loaded), 1) AS taux FROM v_accounts
WHERE @selected HAVING sum(loaded) > 0

-- name: people
SELECT uniqExactMerge(users) AS personnes FROM v_usage_by_day
WHERE type = 'login' AND @in_period AND @selected HAVING count() > 0

-- name: rate
WITH (SELECT sum(activated) FROM v_accounts WHERE @selected) AS activated
SELECT round(100 * uniqExactMerge(users) / activated, 1) AS taux FROM v_usage_by_day
WHERE type = 'login' AND @in_period AND @selected AND @has_accounts
HAVING activated > 0 AND count() > 0

-- name: connections
SELECT @total AS connexions FROM v_usage_by_day
WHERE type = 'login' AND @in_period AND @selected HAVING count() > 0
UNION ALL
SELECT toUInt64(sum(assumeNotNull(logins))) AS connexions FROM v_published WHERE @start_in_period AND @day_counts HAVING count() > 0

-- name: active_classes
WITH @moments
SELECT round(100 * countIf(used.people >= @k) / count(), 1) AS part
FROM (SELECT uai, class_id FROM v_classes WHERE @schools) AS class
LEFT JOIN (
  SELECT uai, class_id, uniqExactMerge(users) AS people FROM v_usage_by_day
  WHERE type = 'login' AND slice >= toMonday(today) AND slice <= today AND @selected
  GROUP BY uai, class_id) AS used ON used.uai = class.uai AND used.class_id = class.class_id
HAVING count() > 0 AND @exact
UNION ALL
SELECT round(100 * count() / (SELECT count() FROM v_classes WHERE @schools), 1) AS part FROM v_published
WHERE grain = 'class_week' AND start = toMonday(today) AND @every_profile AND @chosen_places HAVING count() > 0

-- name: daily
SELECT * FROM (
  SELECT toDateTime(slice, 'Europe/Paris') AS time, @profile_label AS profil, @total AS connexions
  FROM (SELECT * FROM v_usage_by_day WHERE type = 'login' AND @in_period AND @selected) AS used
  LEFT JOIN v_profiles AS labels ON labels.profile = used.profile
  GROUP BY time, profil
  UNION ALL
  SELECT toDateTime(start, 'Europe/Paris') AS time, @published_label AS profil, toUInt64(sum(assumeNotNull(logins))) AS connexions
  FROM (SELECT start, kind, logins FROM v_published WHERE @start_in_period AND @day_profiles) AS used
  LEFT JOIN v_profiles AS labels ON labels.profile = used.kind
  GROUP BY time, profil)
ORDER BY time, profil

-- name: classes_by_day
-- Every class in every @column_of_time in which its school sent anything on a weekday. Labels that end in _id order the rows and link them.
SELECT * FROM (
SELECT toDateTime(opened.day, 'Europe/Paris') AS time, school.name AS ecole,
  @class_order AS ordre_id,
  class.class_id AS classe_id, school.uai AS ecole_id, class.label AS classe,
  multiIf(used.people = 0, 0, used.people < @k, -1, account.activated = 0, -2,
    round(100 * used.people / account.activated, 1)) AS taux
FROM (
  SELECT @column_of_time AS day, uai FROM v_usage_by_day
  WHERE @in_columns AND toDayOfWeek(slice) <= 5 AND @schools GROUP BY day, uai) AS opened
JOIN (SELECT * FROM v_classes WHERE @schools) AS class ON class.uai = opened.uai
JOIN v_schools AS school ON school.uai = opened.uai
LEFT JOIN (
  SELECT @column_of_time AS day, uai, class_id, uniqExactMerge(users) AS people FROM v_usage_by_day
  WHERE type = 'login' AND @in_columns AND @selected GROUP BY day, uai, class_id) AS used
  ON used.day = opened.day AND used.uai = class.uai AND used.class_id = class.class_id
LEFT JOIN (SELECT uai, class_id, sum(activated) AS activated FROM v_accounts WHERE @selected GROUP BY uai, class_id) AS account
  ON account.uai = class.uai AND account.class_id = class.class_id
UNION ALL
SELECT toDateTime(cell.slice, 'Europe/Paris') AS time, school.name AS ecole, @class_order AS ordre_id,
  class.class_id AS classe_id, school.uai AS ecole_id, class.label AS classe,
  if(account.activated = 0, -2, least(100, round(100 * cell.users / account.activated, 1))) AS taux
FROM (SELECT start AS slice, place, kind, users FROM v_published WHERE grain = @class_grain AND @in_columns AND @every_profile) AS cell
JOIN (SELECT * FROM v_classes WHERE @schools) AS class ON class.uai = cell.place AND class.class_id = cell.kind
JOIN v_schools AS school ON school.uai = class.uai
LEFT JOIN (SELECT uai, class_id, sum(activated) AS activated FROM v_accounts WHERE profile = 'eleve' GROUP BY uai, class_id) AS account
  ON account.uai = class.uai AND account.class_id = class.class_id)
ORDER BY time, ecole, ordre_id

-- name: class_order
leftPad(toString(indexOf(['TPS', 'PS', 'MS', 'GS', 'CP', 'CE1', 'CE2', 'CM1', 'CM2'], class.levels[1])), 2, '0') || class.label

-- name: class_grain
-- Published classes are pupils only, by the day or by the week.
'class_day'

-- name: column_of_time
slice

-- name: in_columns
@in_period

-- name: apps
SELECT * FROM (
  SELECT @app_label AS `Application`, @total AS `Visites`
  FROM (SELECT * FROM v_app_usage_by_day WHERE type = 'app_visit' AND @in_period AND @selected) AS used
  LEFT JOIN v_applications AS labels ON labels.app = used.app GROUP BY `Application`
  UNION ALL
  SELECT @published_app AS `Application`, toUInt64(sum(assumeNotNull(visits))) AS `Visites`
  FROM (SELECT kind, visits FROM v_published WHERE @start_in_period AND @published_apps) AS used
  LEFT JOIN v_applications AS labels ON labels.app = used.kind GROUP BY `Application`)
ORDER BY `Visites` DESC, `Application` LIMIT 15

-- name: week_hours
-- Connections of an hour of the week, mean of the weeks of the period; hours with nothing on any day are left out.
SELECT formatDateTime(toDateTime(3600 * hour, 'UTC'), '%H:00') AS `Heure`,
  @weekday(1) AS `Lundi`, @weekday(2) AS `Mardi`, @weekday(3) AS `Mercredi`, @weekday(4) AS `Jeudi`,
  @weekday(5) AS `Vendredi`, @weekday(6) AS `Samedi`, @weekday(7) AS `Dimanche`
FROM (
  SELECT toHour(slice, 'Europe/Paris') AS hour, toDayOfWeek(slice, 0, 'Europe/Paris') AS weekday, @total AS n,
    intDiv(toUInt32(toDate($__toTime, 'Europe/Paris')) - toUInt32(toDate($__fromTime, 'Europe/Paris')) + 7, 7) AS weeks
  FROM v_usage_by_hour WHERE type = 'login' AND $__timeFilter(slice) AND @selected GROUP BY hour, weekday
  UNION ALL
  SELECT hour, toDayOfWeek(start) AS weekday, toUInt64(sum(assumeNotNull(logins))) AS n,
    intDiv(toUInt32(toDate($__toTime, 'Europe/Paris')) - toUInt32(toDate($__fromTime, 'Europe/Paris')) + 7, 7) AS weeks
  FROM (@published_hours) WHERE @start_in_period GROUP BY hour, weekday)
GROUP BY hour ORDER BY hour

-- name: weekday
round(sumIf(n, weekday = @column) / any(weeks), 1)
