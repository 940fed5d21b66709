-- name: weekly_by_school
-- Persons connected in a week / activated accounts, for the schools that have the same @column.
SELECT weeks.week AS week, weeks.group_key AS group_key, round(100 * weeks.people / accounts.activated, 1) AS rate FROM (
  SELECT toMonday(slice) AS week, school.@column AS group_key, uniqExactMerge(users) AS people
  FROM (SELECT * FROM v_usage_by_day WHERE type = 'login' AND @in_weeks_of_period AND @selected AND @has_accounts) AS used
  JOIN v_schools AS school ON school.uai = used.uai
  GROUP BY week, group_key) AS weeks
JOIN (
  SELECT school.@column AS group_key, sum(activated) AS activated
  FROM (SELECT * FROM v_accounts WHERE @selected) AS account JOIN v_schools AS school ON school.uai = account.uai
  GROUP BY group_key) AS accounts ON accounts.group_key = weeks.group_key

-- name: weekly_by_class
-- The same for the classes that have the same @column; persons of no class are left out.
SELECT weeks.week AS week, weeks.group_key AS group_key, round(100 * weeks.people / accounts.activated, 1) AS rate FROM (
  SELECT toMonday(slice) AS week, class.@column AS group_key, uniqExactMerge(users) AS people
  FROM (SELECT * FROM v_usage_by_day WHERE type = 'login' AND @in_weeks_of_period AND @selected AND @has_accounts) AS used
  JOIN v_classes AS class ON class.uai = used.uai AND class.class_id = used.class_id
  GROUP BY week, group_key) AS weeks
JOIN (
  SELECT class.@column AS group_key, sum(activated) AS activated
  FROM (SELECT * FROM v_accounts WHERE @selected) AS account
  JOIN v_classes AS class ON class.uai = account.uai AND class.class_id = account.class_id
  GROUP BY group_key) AS accounts ON accounts.group_key = weeks.group_key

-- name: priority
SELECT toDateTime(week, 'Europe/Paris') AS time, if(group_key = '', 'Hors EP', toString(group_key)) AS groupe, rate AS taux
FROM (@weekly_by_school(education_prioritaire)) ORDER BY time, groupe

-- name: cohorts
SELECT toDateTime(week, 'Europe/Paris') AS time, 'Depuis le ' || formatDateTime(assumeNotNull(group_key), '%d/%m/%Y') AS groupe, rate AS taux
FROM (@weekly_by_school(deployed_from)) ORDER BY time, groupe

-- name: pilots
SELECT toDateTime(week, 'Europe/Paris') AS time, if(group_key, 'Écoles pilotes', 'Autres écoles') AS groupe, rate AS taux
FROM (@weekly_by_school(pilot)) ORDER BY time, groupe

-- name: trained
SELECT toDateTime(week, 'Europe/Paris') AS time, if(group_key, 'Enseignant formé', 'Enseignant non formé') AS groupe, rate AS taux
FROM (@weekly_by_class(teacher_trained)) ORDER BY time, groupe

-- name: equipped
SELECT toDateTime(week, 'Europe/Paris') AS time, if(group_key, 'Classes équipées', 'Classes non équipées') AS groupe, rate AS taux
FROM (@weekly_by_class(projector)) ORDER BY time, groupe

-- name: rate_by_pole
SELECT group_key AS `Pôle`, round(avg(rate), 1) AS `Taux de connexion`
FROM (@weekly_by_school(pole)) GROUP BY `Pôle` ORDER BY `Taux de connexion` DESC, `Pôle`

-- name: rate_by_district
SELECT group_key AS `Circonscription`, round(avg(rate), 1) AS `Taux de connexion`
FROM (@weekly_by_school(circonscription)) GROUP BY `Circonscription` ORDER BY `Taux de connexion` DESC, `Circonscription`

-- name: institutional
-- The Médiathèque, and what the GAR brings: documentary resources and digital textbooks.
app IN (SELECT app FROM v_applications WHERE app IN ('mediatheque', 'mediacentre') OR service IN ('manuel_numerique', 'documentation_cdi')
  OR startsWith(service, 'ressource_'))

-- name: resources
SELECT toDateTime(toMonday(slice), 'Europe/Paris') AS time,
  round(100 * uniqExactMergeIf(users, @institutional) / uniqExactMerge(users), 1) AS `Part des personnes`
FROM v_app_usage_by_day WHERE type = 'app_visit' AND @in_weeks_of_period AND @selected
GROUP BY time ORDER BY time

-- name: resources_listed
SELECT @app_label AS `Ressource`, @total AS `Visites`, uniqExactMerge(users) AS persons_id, @masked(persons_id) AS `Personnes`, uniqExact(used.uai) AS `Écoles`
FROM (SELECT * FROM v_app_usage_by_day WHERE type = 'app_visit' AND @in_period AND @selected AND @institutional) AS used
LEFT JOIN v_applications AS labels ON labels.app = used.app
GROUP BY `Ressource` ORDER BY `Visites` DESC, `Ressource`

-- name: groups
-- Size of each group, so that a small one is not read as a large one.
SELECT said.1 AS `Groupe`, said.2 AS `Écoles ou classes`, said.3 AS `Total` FROM (
  SELECT arrayJoin([('Écoles pilotes', countIf(pilot), count()), ('Écoles en REP', countIf(education_prioritaire = 'REP'), count()),
    ('Écoles en REP+', countIf(education_prioritaire = 'REP+'), count())]) AS said
  FROM v_schools WHERE @schools
  UNION ALL
  SELECT ('Écoles avec classe mobile', countIf(mobile_classes > 0), count()) AS said FROM v_schools WHERE @schools AND @exact
  UNION ALL
  SELECT arrayJoin([('Classes d’un enseignant formé', countIf(teacher_trained), count()), ('Classes équipées (vidéoprojecteur et PC)', countIf(projector), count())]) AS said
  FROM v_classes WHERE @schools AND @exact)
WHERE said.3 > 0
