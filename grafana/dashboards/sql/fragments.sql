-- Pieces that the dashboards share. A statement takes one in by its name: @selected.

-- name: deployed
-- Schools in which the ENT is deployed by the end of the period.
SELECT uai FROM v_schools WHERE deployed_from <= toDate($__toTime, 'Europe/Paris')

-- name: schools
-- Of the deployed schools, those that the reader chose.
uai IN (@deployed) AND $__conditionalAll(uai IN (${ecole:sqlstring}), $ecole)

-- name: profiles
$__conditionalAll(profile IN (${profil:sqlstring}), $profil)

-- name: selected
@schools AND @profiles

-- name: has_accounts
-- A rate counts only persons whose school and profile have accounts in the directory.
(uai, profile) IN (SELECT uai, profile FROM v_accounts GROUP BY uai, profile HAVING sum(activated) > 0)

-- name: total
-- Events count in each school of their user: within one school all of them, over several those of the first school.
sum(if(length([${ecole:sqlstring}]) = 1, events, events_once))

-- name: k
-- Fewer persons than this are not told apart.
5

-- name: moments
-- The day that is shown ends where the figures are complete, or where the period does.
(SELECT if(partitions = 0, $__toTime, least($__toTime, toDateTime(complete_through))) FROM v_complete) AS until,
toDate(until, 'Europe/Paris') AS today,
subtractDays(toTimeZone(until, 'Europe/Paris'), 7) AS week_ago

-- name: day_so_far
-- That day, and the same weekday a week before up to the same minute: whole hours, then minutes.
SELECT toDate(slice, 'Europe/Paris') AS day, uai, class_id, profile, type, events, events_once, users
FROM v_usage_by_hour
WHERE slice >= toDateTime(today, 'Europe/Paris') AND slice < toStartOfHour(until)
  OR slice >= toDateTime(today - 7, 'Europe/Paris') AND slice < toStartOfHour(week_ago)
UNION ALL
SELECT toDate(slice, 'Europe/Paris') AS day, uai, class_id, profile, type, events, events_once, users
FROM v_usage_by_minute
WHERE slice >= toStartOfHour(until) AND slice <= until
  OR slice >= toStartOfHour(week_ago) AND slice <= week_ago

-- name: in_period
slice BETWEEN toDate($__fromTime, 'Europe/Paris') AND toDate($__toTime, 'Europe/Paris')

-- name: in_weeks_of_period
-- Whole weeks, from the first that begins in the period.
toMonday(slice) >= toDate($__fromTime, 'Europe/Paris') AND slice <= toDate($__toTime, 'Europe/Paris')

-- name: profile_label
if(labels.label = '', used.profile, labels.label)

-- name: app_label
-- An application that the catalogue does not know keeps its key; those that nobody knows are together.
multiIf(labels.label != '', labels.label, used.app IN ('', 'autre'), 'Autres (non reconnues)', used.app)

-- name: complete_text
SELECT if(partitions = 0, '—', formatDateTime(complete_through, '%d/%m/%Y %H:%i', 'Europe/Paris')) AS complet FROM v_complete

-- name: choose_school
SELECT uai, name FROM v_schools WHERE deployed_from <= toDate($__toTime, 'Europe/Paris') ORDER BY name

-- name: choose_profile
SELECT profile, label FROM v_profiles ORDER BY rank
