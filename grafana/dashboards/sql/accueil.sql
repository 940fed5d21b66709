-- name: connections
WITH @moments
SELECT time, connexions FROM (
  SELECT round(sumIf(n, day < today AND NOT running) + @passed * sumIf(n, running)) AS before, sumIf(n, day = today) AS now
  FROM (SELECT day, running, @total AS n FROM (@day_so_far) WHERE type = 'login' AND @selected GROUP BY day, running)
  HAVING before + now > 0)
ARRAY JOIN [toDateTime(today - 7, 'Europe/Paris'), toDateTime(today, 'Europe/Paris')] AS time, [before, toFloat64(now)] AS connexions
UNION ALL
SELECT time, connexions FROM (
  SELECT sumIf(assumeNotNull(logins), start = today - 7) AS before, sumIf(assumeNotNull(logins), start = today) AS now FROM (@published_hours)
  WHERE start IN (today, today - 7) AND hour < @whole_hours_passed HAVING before + now > 0)
ARRAY JOIN [toDateTime(today - 7, 'Europe/Paris'), toDateTime(today, 'Europe/Paris')] AS time, [toFloat64(before), toFloat64(now)] AS connexions

-- name: people
WITH @moments
SELECT time, personnes FROM (
  SELECT uniqExactMergeIf(users, day < today AND NOT running) AS begun, uniqExactMergeIf(users, day < today) AS ended,
    round(begun + @passed * (ended - begun)) AS before, uniqExactMergeIf(users, day = today) AS now
  FROM (@day_so_far) WHERE type = 'login' AND @selected
  HAVING before + now > 0)
ARRAY JOIN [toDateTime(today - 7, 'Europe/Paris'), toDateTime(today, 'Europe/Paris')] AS time, [before, toFloat64(now)] AS personnes
UNION ALL
SELECT toDateTime(start, 'Europe/Paris') AS time, toFloat64(users) AS personnes FROM v_published WHERE start = today AND @day_persons

-- name: app_openings
WITH @moments
SELECT time, ouvertures FROM (
  SELECT round(sumIf(n, day < today AND NOT running) + @passed * sumIf(n, running)) AS before, sumIf(n, day = today) AS now
  FROM (SELECT day, running, @total AS n FROM (@day_so_far) WHERE type = 'app_visit' AND @selected GROUP BY day, running)
  HAVING before + now > 0)
ARRAY JOIN [toDateTime(today - 7, 'Europe/Paris'), toDateTime(today, 'Europe/Paris')] AS time, [before, toFloat64(now)] AS ouvertures
UNION ALL
SELECT toDateTime(today, 'Europe/Paris') AS time, toFloat64(sum(assumeNotNull(visits))) AS ouvertures FROM v_published
WHERE start = today AND @day_counts HAVING count() > 0

-- name: active_schools
WITH @moments,
  (SELECT count() FROM v_schools WHERE @schools) AS expected
SELECT time, part FROM (
  SELECT uniqExactIf(uai, day < today AND NOT running) AS begun, uniqExactIf(uai, day < today) AS ended,
    begun + @passed * (ended - begun) AS before, uniqExactIf(uai, day = today) AS now
  FROM (@day_so_far) WHERE type = 'login' AND @selected
  HAVING before + now > 0)
ARRAY JOIN [toDateTime(today - 7, 'Europe/Paris'), toDateTime(today, 'Europe/Paris')] AS time,
  [round(100 * before / expected, 1), round(100 * now / expected, 1)] AS part
UNION ALL
SELECT toDateTime(today, 'Europe/Paris') AS time, round(100 * count() / any(expected), 1) AS part FROM v_published
WHERE grain = 'school_day' AND start = today AND @every_profile AND place IN (SELECT uai FROM v_schools WHERE @schools)
HAVING count() > 0

-- name: complete_until
WITH @moments
SELECT if(toDate(complete_through, 'Europe/Paris') = toDate($__toTime, 'Europe/Paris'),
  formatDateTime(complete_through, '%H:%i', 'Europe/Paris'),
  formatDateTime(complete_through, '%d/%m %H:%i', 'Europe/Paris')) AS complet
FROM v_complete WHERE partitions > 0

-- name: alerts
-- Alerts that stood at the end of the period, and at the same moment a week before.
WITH @moments
SELECT time, alertes FROM (
  SELECT countIf(opened_at <= week_ago AND (resolved_at IS NULL OR resolved_at > week_ago)) AS before,
    countIf(opened_at <= until AND (resolved_at IS NULL OR resolved_at > until)) AS now
  FROM v_alerts WHERE kind != 'bulletin_hebdomadaire' AND (uai = '' OR @schools)
  HAVING @exact)
ARRAY JOIN [toDateTime(today - 7, 'Europe/Paris'), toDateTime(today, 'Europe/Paris')] AS time, [before, now] AS alertes

-- name: hours
WITH @moments
SELECT time, if(time > until, NULL, sumIf(n, day = today)) AS `Ce jour`, sumIf(n, day != today) AS `Une semaine avant`
FROM (
  SELECT toDate(slice, 'Europe/Paris') AS day, @total AS n,
    if(day = today, toTimeZone(slice, 'Europe/Paris'), addDays(toTimeZone(slice, 'Europe/Paris'), 7)) AS time
  FROM v_usage_by_hour
  WHERE type = 'login' AND @selected
    AND (slice >= toDateTime(today, 'Europe/Paris') AND slice < toDateTime(today + 1, 'Europe/Paris')
      OR slice >= toDateTime(today - 7, 'Europe/Paris') AND slice < toDateTime(today - 6, 'Europe/Paris'))
  GROUP BY slice
  UNION ALL
  SELECT start AS day, toUInt64(sum(assumeNotNull(logins))) AS n, addHours(toDateTime(today, 'Europe/Paris'), hour) AS time FROM (@published_hours)
  WHERE start IN (today, today - 7) GROUP BY start, hour)
GROUP BY time ORDER BY time

-- name: apps
WITH @moments
SELECT * FROM (
  SELECT @app_label AS `Application`, @total AS `Ouvertures`
  FROM (
    SELECT * FROM v_app_usage_by_hour
    WHERE type = 'app_visit' AND slice >= toDateTime(today, 'Europe/Paris') AND slice <= until AND @selected) AS used
  LEFT JOIN v_applications AS labels ON labels.app = used.app GROUP BY `Application`
  UNION ALL
  SELECT @published_app AS `Application`, sum(assumeNotNull(visits)) AS `Ouvertures`
  FROM (SELECT kind, visits FROM v_published WHERE start = today AND @published_apps) AS used
  LEFT JOIN v_applications AS labels ON labels.app = used.kind GROUP BY `Application`)
ORDER BY `Ouvertures` DESC, `Application` LIMIT 10

-- name: profiles_today
WITH @moments
SELECT * FROM (
  SELECT @profile_label AS `Profil`, uniqExactMerge(users) AS `Personnes`
  FROM (SELECT * FROM (@day_so_far) WHERE type = 'login' AND day = today AND @selected) AS used
  LEFT JOIN v_profiles AS labels ON labels.profile = used.profile GROUP BY `Profil`
  UNION ALL
  SELECT @published_label AS `Profil`, users AS `Personnes`
  FROM (SELECT kind, users FROM v_published WHERE start = today AND @day_profiles
    AND (@every_school OR length([${ecole:sqlstring}]) = 1)) AS used
  LEFT JOIN v_profiles AS labels ON labels.profile = used.kind)
ORDER BY `Personnes` DESC, `Profil`

-- name: schools_today
WITH @moments
SELECT * FROM (
SELECT school.uai AS ecole_id, school.name AS `École`, school.pole AS `Pôle`,
  if(school.education_prioritaire = '', 'Hors EP', school.education_prioritaire) AS `EP`,
  used.now AS `Connexions`, used.people AS `Personnes`,
  if(account.activated = 0, NULL, round(100 * used.people / account.activated, 1)) AS `Taux de connexion`,
  if(used.before = 0, NULL, round(100 * (used.now / used.before - 1), 1)) AS `Évolution`,
  multiIf(used.now = 0 AND used.before = 0, 'Sans activité', used.before < 20, 'Volume faible',
    used.now = 0, 'Silencieuse', used.now < 0.5 * used.before, 'En baisse',
    used.now < 0.75 * used.before, 'À surveiller', 'Normale') AS `État`
FROM (SELECT * FROM v_schools WHERE @schools) AS school
LEFT JOIN (
  SELECT uai, sumIf(events, day = today) AS now,
    round(sumIf(events, day < today AND NOT running) + @passed * sumIf(events, running)) AS before,
    uniqExactMergeIf(users, day = today) AS people
  FROM (@day_so_far) WHERE type = 'login' AND @selected GROUP BY uai) AS used ON used.uai = school.uai
LEFT JOIN (SELECT uai, sum(activated) AS activated FROM v_accounts WHERE @selected GROUP BY uai) AS account
  ON account.uai = school.uai
WHERE @exact
UNION ALL
SELECT school.uai, school.name, school.pole, if(school.education_prioritaire = '', 'Hors EP', school.education_prioritaire),
  cell.logins, cell.persons, if(account.activated = 0, NULL, round(100 * cell.persons / account.activated, 1)), NULL,
  if(cell.persons IS NULL, 'Masquée', 'Active')
FROM (SELECT * FROM v_schools WHERE @schools) AS school
LEFT JOIN (
  SELECT place, logins, toNullable(users) AS persons FROM v_published WHERE grain = 'school_day' AND start = today AND @every_profile) AS cell
  ON cell.place = school.uai
LEFT JOIN (SELECT uai, sum(activated) AS activated FROM v_accounts WHERE @selected GROUP BY uai) AS account
  ON account.uai = school.uai
WHERE @public AND @every_profile)
ORDER BY indexOf(['Silencieuse', 'En baisse', 'À surveiller', 'Normale', 'Active', 'Volume faible', 'Sans activité', 'Masquée'], `État`),
  `Évolution`, `École`

-- name: refusals
WITH @moments
SELECT reason AS `Motif`, count() AS `Enregistrements`, max(arrived_at) AS `Dernier`
FROM v_dead_letters
WHERE arrived_at > subtractDays(until, 7) AND arrived_at <= $__toTime
GROUP BY reason ORDER BY `Enregistrements` DESC, `Motif`
