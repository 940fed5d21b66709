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

-- name: weekly_rate_on
-- Persons connected in the week / accounts that are @column, by profile.
SELECT toDateTime(toMonday(slice), 'Europe/Paris') AS time, @profile_label AS profil,
  round(100 * uniqExactMerge(users) / any(accounts), 1) AS taux
FROM (SELECT * FROM v_usage_by_day WHERE type = 'login' AND @in_weeks_of_period AND @selected AND @has_accounts) AS used
JOIN (SELECT profile, sum(@column) AS accounts FROM v_accounts WHERE @selected GROUP BY profile) AS account
  ON account.profile = used.profile
LEFT JOIN v_profiles AS labels ON labels.profile = used.profile
GROUP BY time, profil ORDER BY time, profil

-- name: weekly_rate
@weekly_rate_on(activated)

-- name: weekly_rate_loaded
@weekly_rate_on(loaded)

-- name: parents_by_week
-- Parents who had connected at least once since 1 August of the school year, week by week.
SELECT week, uniqExactMerge(users_of_week) OVER (ORDER BY week) AS persons FROM (
  SELECT toMonday(slice) AS week, uniqExactMergeState(users) AS users_of_week FROM v_usage_by_day
  WHERE type = 'login' AND profile = 'parent' AND slice >= @school_year AND slice <= toDate($__toTime, 'Europe/Paris') AND @schools
  GROUP BY week)

-- name: families
SELECT toDateTime(week, 'Europe/Paris') AS time, persons AS `Parents entrés` FROM (@parents_by_week)
WHERE week >= toMonday(toDate($__fromTime, 'Europe/Paris')) ORDER BY time

-- name: families_share
WITH (SELECT sum(loaded) FROM v_accounts WHERE profile = 'parent' AND @schools) AS loaded
SELECT round(100 * uniqExactMerge(users) / loaded, 1) AS part FROM v_usage_by_day
WHERE type = 'login' AND profile = 'parent' AND slice >= @school_year AND slice <= toDate($__toTime, 'Europe/Paris')
  AND @schools AND @has_accounts HAVING loaded > 0 AND count() > 0

-- name: lifecycle
-- A week against the one before and all before that since 1 August; of two sets, both = one + other - union.
SELECT toDateTime(week, 'Europe/Paris') AS time, ever - ever_before AS `Nouveaux`, active + active_before - either AS `Réguliers`,
  active - `Nouveaux` - `Réguliers` AS `De retour`, active_before - `Réguliers` AS `Endormis`
FROM (
  SELECT week, active, either, ever, lagInFrame(toInt64(ever), 1, 0) OVER before AS ever_before,
    max(toInt64(active)) OVER (ORDER BY week RANGE BETWEEN 7 PRECEDING AND 7 PRECEDING) AS active_before
  FROM (
    SELECT week, toInt64(uniqExactMerge(users_of_week) OVER (PARTITION BY week)) AS active,
      toInt64(uniqExactMerge(users_of_week) OVER (ORDER BY week RANGE BETWEEN 7 PRECEDING AND CURRENT ROW)) AS either,
      toInt64(uniqExactMerge(users_of_week) OVER (ORDER BY week RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) AS ever
    FROM (
      SELECT toMonday(slice) AS week, uniqExactMergeState(users) AS users_of_week FROM v_usage_by_day
      WHERE type = 'login' AND slice >= @school_year AND slice <= toDate($__toTime, 'Europe/Paris') AND @selected
      GROUP BY week))
  WINDOW before AS (ORDER BY week ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW))
WHERE week >= toMonday(toDate($__fromTime, 'Europe/Paris')) ORDER BY time

-- name: apps_by_school
-- Applications that at least five persons of the school opened, beside the median school.
WITH per_school AS (
  SELECT school.uai AS uai, school.name AS name, countIf(used.persons >= @k) AS apps, countIf(used.persons > 0) AS all_apps
  FROM (SELECT uai, name FROM v_schools WHERE @schools) AS school
  LEFT JOIN (
    SELECT uai, app, uniqExactMerge(users) AS persons FROM v_app_usage_by_day
    WHERE type = 'app_visit' AND app NOT IN ('', 'autre') AND @in_period AND @selected GROUP BY uai, app) AS used ON used.uai = school.uai
  GROUP BY uai, name),
  (SELECT quantileExactInclusive(0.5)(apps) FROM per_school) AS median
SELECT uai AS ecole_id, name AS `École`, apps AS `Applications`, all_apps AS `Ouvertes au moins une fois`,
  multiIf(apps > 1.5 * median, 'Plus que les autres', apps < median / 2, 'Moins que les autres', 'Comme les autres') AS `Comparaison`
FROM per_school WHERE @exact ORDER BY `Applications` DESC, `École`

-- name: silent_pupils
-- Pupils seen since 1 August who were not seen any more from the tenth last lesson day that is over on.
WITH @moments,
begins AS (
  SELECT uai, arrayReverseSort(groupUniqArray(toDate(starts, 'Europe/Paris')))[10] AS silence FROM v_school_time
  WHERE category = 'classe' AND starts < toDateTime(today, 'Europe/Paris') AND @schools GROUP BY uai)
SELECT school.uai AS ecole_id, school.name AS `École`, used.before AS `Actifs avant`,
  @masked(used.silent) AS `Silencieux`, if(used.before = 0 OR used.silent BETWEEN 1 AND @k - 1, NULL, round(100 * used.silent / used.before, 1)) AS `Part`
FROM (SELECT uai, name FROM v_schools WHERE @schools) AS school
LEFT JOIN (
  SELECT day.uai AS uai, uniqExactMergeIf(users, slice < silence) AS before,
    toInt64(uniqExactMerge(users)) - toInt64(uniqExactMergeIf(users, slice >= silence)) AS silent
  FROM (
    SELECT slice, uai, users FROM v_usage_by_day
    WHERE type = 'login' AND profile = 'eleve' AND slice >= @school_year AND slice <= today AND @schools) AS day
  JOIN begins ON begins.uai = day.uai
  GROUP BY day.uai) AS used ON used.uai = school.uai
WHERE @exact ORDER BY `Part` DESC, `École`

-- name: column_of_time
-- A day, or a week where days would be more columns than a screen shows.
if(@period_days > 16, toMonday(slice), slice)

-- name: class_grain
if(@period_days > 16, 'class_week', 'class_day')

-- name: in_columns
(@in_period AND @period_days <= 16 OR @in_weeks_of_period)
