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
