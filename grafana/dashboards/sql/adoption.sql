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
HAVING activated > 0

-- name: active_classes
WITH @moments
SELECT round(100 * countIf(used.people >= @k) / count(), 1) AS part
FROM (SELECT uai, class_id FROM v_classes WHERE @schools) AS class
LEFT JOIN (
  SELECT uai, class_id, uniqExactMerge(users) AS people FROM v_usage_by_day
  WHERE type = 'login' AND slice >= toMonday(today) AND slice <= today AND @selected
  GROUP BY uai, class_id) AS used ON used.uai = class.uai AND used.class_id = class.class_id
HAVING count() > 0

-- name: connections
SELECT @total AS connexions FROM v_usage_by_day
WHERE type = 'login' AND @in_period AND @selected HAVING count() > 0

-- name: by_school_and_week
-- Connections of each school and week; of the week that is running, also of its days that are over.
SELECT toMonday(slice) AS week, uai, sum(events) AS whole,
  sumIf(events, toDayOfWeek(slice) < toDayOfWeek(today)) AS begun
FROM v_usage_by_day
WHERE type = 'login' AND toMonday(slice) >= toMonday(toDate($__fromTime, 'Europe/Paris')) - 7 AND slice <= today AND @selected
GROUP BY week, uai

-- name: growth
-- Each week beside the week before, in the schools that emitted in both.
WITH @moments
SELECT this.week AS week, sum(this.whole) AS connections, count() AS emitting, countIf(last.whole > 0) AS compared,
  sumIf(if(this.week = toMonday(today), this.begun, this.whole), last.whole > 0) AS now,
  sum(if(this.week = toMonday(today), last.begun, last.whole)) AS before,
  if(before = 0, NULL, round(100 * (now / before - 1), 1)) AS growth
FROM (@by_school_and_week) AS this
LEFT JOIN (@by_school_and_week) AS last ON last.uai = this.uai AND last.week = this.week - 7
WHERE this.week >= toMonday(toDate($__fromTime, 'Europe/Paris'))
GROUP BY this.week

-- name: growth_last_week
WITH @moments
SELECT growth FROM (@growth) WHERE week < toMonday(today) ORDER BY week DESC LIMIT 1

-- name: growth_by_week
WITH @moments
SELECT formatDateTime(week, '%d/%m/%Y') || if(week = toMonday(today), ' (en cours)', '') AS `Semaine du`,
  connections AS `Connexions`, emitting AS `Écoles`, compared AS `Comparées`, growth AS `Croissance`
FROM (@growth) ORDER BY week DESC

-- name: weekly_rate
SELECT toDateTime(toMonday(slice), 'Europe/Paris') AS time, @profile_label AS profil,
  round(100 * uniqExactMerge(users) / any(activated), 1) AS taux
FROM (SELECT * FROM v_usage_by_day WHERE type = 'login' AND @in_weeks_of_period AND @selected AND @has_accounts) AS used
JOIN (SELECT profile, sum(activated) AS activated FROM v_accounts WHERE @selected GROUP BY profile) AS account
  ON account.profile = used.profile
LEFT JOIN v_profiles AS labels ON labels.profile = used.profile
GROUP BY time, profil ORDER BY time, profil

-- name: running_week
WITH @moments
SELECT toDateTime(toMonday(today), 'Europe/Paris') AS time, toDateTime(toMonday(today) + 7, 'Europe/Paris') AS timeEnd,
  'Semaine en cours' AS text, 'semaine' AS tags

-- name: daily
SELECT toDateTime(slice, 'Europe/Paris') AS time, @profile_label AS profil, @total AS connexions
FROM (SELECT * FROM v_usage_by_day WHERE type = 'login' AND @in_period AND @selected) AS used
LEFT JOIN v_profiles AS labels ON labels.profile = used.profile
GROUP BY time, profil ORDER BY time, profil

-- name: classes_by_day
-- Every class on every weekday on which its school sent anything. Labels that end in _id order the rows and link them.
SELECT toDateTime(opened.day, 'Europe/Paris') AS time, school.name AS ecole,
  leftPad(toString(indexOf(['TPS', 'PS', 'MS', 'GS', 'CP', 'CE1', 'CE2', 'CM1', 'CM2'], class.levels[1])), 2, '0')
    || class.label AS ordre_id,
  class.class_id AS classe_id, school.uai AS ecole_id, class.label AS classe,
  multiIf(used.people = 0, 0, used.people < @k, -1, account.activated = 0, -2,
    round(100 * used.people / account.activated, 1)) AS taux
FROM (
  SELECT slice AS day, uai FROM v_usage_by_day
  WHERE @in_period AND toDayOfWeek(slice) <= 5 AND @schools GROUP BY day, uai) AS opened
JOIN (SELECT * FROM v_classes WHERE @schools) AS class ON class.uai = opened.uai
JOIN v_schools AS school ON school.uai = opened.uai
LEFT JOIN (
  SELECT slice AS day, uai, class_id, uniqExactMerge(users) AS people FROM v_usage_by_day
  WHERE type = 'login' AND @in_period AND @selected GROUP BY day, uai, class_id) AS used
  ON used.day = opened.day AND used.uai = class.uai AND used.class_id = class.class_id
LEFT JOIN (SELECT uai, class_id, sum(activated) AS activated FROM v_accounts WHERE @selected GROUP BY uai, class_id) AS account
  ON account.uai = class.uai AND account.class_id = class.class_id
ORDER BY time, ecole, ordre_id

-- name: apps
SELECT @app_label AS `Application`, @total AS `Visites`
FROM (SELECT * FROM v_app_usage_by_day WHERE type = 'app_visit' AND @in_period AND @selected) AS used
LEFT JOIN v_applications AS labels ON labels.app = used.app
GROUP BY `Application` ORDER BY `Visites` DESC, `Application` LIMIT 15

-- name: weekly_rate_by_group
-- Mean over the weeks of: persons connected in the week / activated accounts, for a group of schools.
SELECT group_name, round(100 * avg(people) / any(activated), 1) AS rate FROM (
  SELECT toMonday(slice) AS week, school.@column AS group_name, uniqExactMerge(users) AS people
  FROM (SELECT * FROM v_usage_by_day WHERE type = 'login' AND @in_weeks_of_period AND @selected AND @has_accounts) AS used
  JOIN v_schools AS school ON school.uai = used.uai
  GROUP BY week, group_name) AS weeks
JOIN (
  SELECT school.@column AS group_name, sum(activated) AS activated
  FROM (SELECT * FROM v_accounts WHERE @selected) AS account JOIN v_schools AS school ON school.uai = account.uai
  GROUP BY group_name) AS accounts USING group_name
GROUP BY group_name

-- name: rate_by_pole
SELECT group_name AS `Pôle`, rate AS `Taux de connexion`
FROM (@weekly_rate_by_group(pole)) ORDER BY `Taux de connexion` DESC

-- name: rate_by_priority
SELECT if(group_name = '', 'Hors EP', group_name) AS `Éducation prioritaire`, rate AS `Taux de connexion`
FROM (@weekly_rate_by_group(education_prioritaire)) ORDER BY `Taux de connexion` DESC

-- name: rate_by_district
SELECT group_name AS `Circonscription`, rate AS `Taux de connexion`
FROM (@weekly_rate_by_group(circonscription)) ORDER BY `Taux de connexion` DESC
