-- name: figures
-- One statement for five figures.
WITH (SELECT count() FROM v_schools WHERE @schools) AS expected
SELECT @total AS `Visites`, uniqExactMerge(users) AS `Personnes`, round(`Visites` / `Personnes`, 1) AS `Visites par personne`,
  uniqExactIf(app, app NOT IN ('', 'autre')) AS `Applications utilisées`,
  round(100 * uniqExact(uai) / expected, 1) AS `Écoles utilisatrices`
FROM v_app_usage_by_day WHERE @in_period AND @opened HAVING expected > 0 AND count() > 0

-- name: unmapped
SELECT round(100 * sumIf(events_once, app IN ('', 'autre')) / sum(events_once), 2) AS part FROM v_app_usage_by_day
WHERE type = 'app_visit' AND @in_period AND @selected HAVING count() > 0

-- name: apps_listed
-- Persons are distinct in each application; over several applications they must not be added.
WITH (SELECT @total FROM v_app_usage_by_day WHERE @in_period AND @opened) AS everything
SELECT * FROM (
SELECT used.app AS application_id, @app_label AS `Application`, if(any(labels.service) = '', '—', any(labels.service)) AS `Service DNMA`, if(any(labels.kind) = '', '—', any(labels.kind)) AS `Nature`,
  any(n) AS `Visites`, round(100 * any(n) / everything, 1) AS `Part`,
  if(any(n_before) = 0, NULL, round(100 * (any(n) / any(n_before) - 1), 1)) AS `Évolution`,
  if(any(persons) < @k, NULL, any(persons)) AS `Personnes`, any(school_count) AS `Écoles`
FROM (
  SELECT app, sumIf(n_of_day, @in_period) AS n, sumIf(n_of_day, @span_before) AS n_before,
    uniqExactMergeIf(users_of_day, @in_period) AS persons, uniqExactIf(uai, @in_period) AS school_count
  FROM (
    SELECT app, slice, uai, @total AS n_of_day, uniqExactMergeState(users) AS users_of_day FROM v_app_usage_by_day
    WHERE (@in_period OR @span_before) AND @opened GROUP BY app, slice, uai)
  GROUP BY app HAVING n > 0) AS used
LEFT JOIN v_applications AS labels ON labels.app = used.app
GROUP BY used.app, `Application`
UNION ALL
SELECT used.kind, @published_app, if(any(labels.service) = '', '—', any(labels.service)), if(any(labels.kind) = '', '—', any(labels.kind)),
  toUInt64(sum(assumeNotNull(visits))) AS n, round(100 * n / sum(n) OVER (), 1), NULL, NULL, uniqExact(place)
FROM (SELECT place, v_published.kind AS kind, visits FROM v_published WHERE @start_in_period AND @published_apps AND @kinds_chosen) AS used
LEFT JOIN v_applications AS labels ON labels.app = used.kind
GROUP BY used.kind, @published_app)
ORDER BY `Visites` DESC, `Application`

-- name: by_service
SELECT * FROM (
  SELECT if(labels.service = '', 'non reconnu', labels.service) AS `Service`, @total AS `Visites`
  FROM (SELECT * FROM v_app_usage_by_day WHERE @in_period AND @opened) AS used
  LEFT JOIN v_applications AS labels ON labels.app = used.app GROUP BY `Service`
  UNION ALL
  SELECT if(labels.service = '', 'non reconnu', labels.service) AS `Service`, toUInt64(sum(assumeNotNull(visits))) AS `Visites`
  FROM (SELECT kind, visits FROM v_published WHERE @start_in_period AND @published_apps AND @kinds_chosen) AS used
  LEFT JOIN v_applications AS labels ON labels.app = used.kind GROUP BY `Service`)
ORDER BY `Visites` DESC, `Service`

-- name: kinds_chosen
$__conditionalAll(kind IN (${application:sqlstring}), $application)

-- name: people_by_service
SELECT if(labels.service = '', 'non reconnu', labels.service) AS `Service`, uniqExactMerge(users) AS `Personnes`
FROM (SELECT * FROM v_app_usage_by_day WHERE @in_period AND @opened) AS used
LEFT JOIN v_applications AS labels ON labels.app = used.app
GROUP BY `Service` HAVING `Personnes` >= @k ORDER BY `Personnes` DESC, `Service`

-- name: daily
SELECT toDateTime(slice, 'Europe/Paris') AS time, @profile_label AS profil, @total AS visites
FROM (SELECT * FROM v_app_usage_by_day WHERE @in_period AND @opened) AS used
LEFT JOIN v_profiles AS labels ON labels.profile = used.profile
GROUP BY time, profil ORDER BY time, profil

-- name: most_visited
SELECT app FROM v_app_usage_by_day WHERE @in_period AND @opened AND app NOT IN ('', 'autre')
GROUP BY app ORDER BY @total DESC, app LIMIT 8

-- name: first_use
-- Of the eight most visited: persons who had opened it at least once since 1 August of the school year, day by day.
SELECT toDateTime(day, 'Europe/Paris') AS time, @app_label AS application, any(persons) AS personnes FROM (
  SELECT slice AS day, app, uniqExactMerge(users_of_day) OVER (PARTITION BY app ORDER BY slice) AS persons
  FROM (
    SELECT slice, app, uniqExactMergeState(users) AS users_of_day FROM v_app_usage_by_day
    WHERE slice >= @school_year AND slice <= toDate($__toTime, 'Europe/Paris') AND @opened AND app IN (@most_visited)
    GROUP BY slice, app)) AS used
LEFT JOIN v_applications AS labels ON labels.app = used.app
WHERE day >= toDate($__fromTime, 'Europe/Paris')
GROUP BY time, application ORDER BY time, application

-- name: class_coverage
-- Classes of the directory in which someone opened the application.
WITH (SELECT count() FROM v_classes WHERE @schools) AS classes
SELECT @app_label AS `Application`, round(100 * any(n) / classes, 1) AS `Part des classes` FROM (
  SELECT app, uniqExact(class_id) AS n FROM v_events
  WHERE type = 'app_visit' AND $__timeFilter(event_time) AND @with_school AND @profiles AND @apps_chosen
    AND app NOT IN ('', 'autre') AND class_id NOT IN ('', 'unmapped')
  GROUP BY app) AS used
LEFT JOIN v_applications AS labels ON labels.app = used.app
WHERE classes > 0
GROUP BY `Application` ORDER BY `Part des classes` DESC, `Application` LIMIT 15

-- name: unknown_apps
SELECT app_raw AS `Nom envoyé`, count() AS `Visites`, uniqExact(uai) AS `Écoles`, max(event_time) AS `Dernière`
FROM v_events WHERE type = 'app_visit' AND app IN ('', 'autre') AND $__timeFilter(event_time) AND @with_school AND @profiles
GROUP BY app_raw ORDER BY `Visites` DESC, `Nom envoyé` LIMIT 30
