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
-- The hours of that day, and of the same weekday a week before up to the same hour; that hour itself is `running`, and
-- @passed of it had passed.
SELECT toDate(slice, 'Europe/Paris') AS day, slice = toStartOfHour(week_ago) AS running,
  uai, class_id, profile, type, events, events_once, users
FROM v_usage_by_hour
WHERE slice >= toDateTime(today, 'Europe/Paris') AND slice <= until
  OR slice >= toDateTime(today - 7, 'Europe/Paris') AND slice <= week_ago

-- name: passed
-- Share of the running hour that has passed.
(toUnixTimestamp(until) % 3600 + 1) / 3600

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

-- name: which_reading
SELECT reading, note FROM v_reading

-- name: choose_school
SELECT uai, name FROM v_schools WHERE deployed_from <= toDate($__toTime, 'Europe/Paris') ORDER BY name

-- name: choose_profile
SELECT profile, label FROM v_profiles ORDER BY rank

-- name: choose_app
SELECT app, label FROM v_applications WHERE app IN (SELECT app FROM v_app_usage_by_day) OR @public ORDER BY label

-- name: apps_chosen
$__conditionalAll(app IN (${application:sqlstring}), $application)

-- name: masked
-- Persons, or nothing where they are from 1 to 4; @masked(column).
if(@column BETWEEN 1 AND @k - 1, NULL, @column)

-- name: series_breaks
SELECT begins_at AS time, ends_at AS timeEnd, label AS text, kind AS tags FROM v_series_breaks
WHERE begins_at <= $__toTime AND ends_at >= $__fromTime AND (uai = '' OR @schools)
ORDER BY time

-- name: running_day
WITH @moments
SELECT toDateTime(today, 'Europe/Paris') AS time, toDateTime(today + 1, 'Europe/Paris') AS timeEnd,
  'Jour en cours' AS text, 'jour' AS tags

-- name: running_week
WITH @moments
SELECT toDateTime(toMonday(today), 'Europe/Paris') AS time, toDateTime(toMonday(today) + 7, 'Europe/Paris') AS timeEnd,
  'Semaine en cours' AS text, 'semaine' AS tags

-- name: with_school
-- Of the events themselves: those that count in one of the chosen schools, the user's first or a further one.
(@schools OR hasAny(other_uai, (SELECT groupArray(toString(uai)) FROM v_schools WHERE @schools)))

-- name: calendar
-- Holidays, public holidays and declared closures of the chosen schools, as spans.
SELECT min(starts) AS time, max(ends) AS timeEnd,
  transform(toString(category), ['vacances', 'ferie', 'fermeture'], ['Vacances', 'Jour férié', 'Fermeture déclarée']) AS text,
  toString(category) AS tags
FROM (
  SELECT category, starts, leadInFrame(starts, 1, starts) OVER (PARTITION BY uai ORDER BY starts ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS ends
  FROM v_school_time WHERE @schools)
WHERE category IN ('vacances', 'ferie', 'fermeture') AND starts <= $__toTime AND ends >= $__fromTime
GROUP BY category, starts, ends ORDER BY time

-- name: opened
-- Openings of applications by the chosen schools, profiles and applications.
type = 'app_visit' AND @selected AND @apps_chosen

-- name: span_before
-- The period of the same length just before, in days.
slice >= toDate($__fromTime, 'Europe/Paris') - @period_days AND slice < toDate($__fromTime, 'Europe/Paris')

-- name: period_days
(toDate($__toTime, 'Europe/Paris') - toDate($__fromTime, 'Europe/Paris') + 1)

-- name: school_year
-- 1 August of the school year in which the period ends.
toDate(toString(toYear(toDate($__toTime, 'Europe/Paris')) - (toMonth(toDate($__toTime, 'Europe/Paris')) < 8)) || '-08-01')

-- name: alerts_drawn
-- Alerts of the chosen schools and of the platform, from what they tell of to their end.
SELECT since AS time, coalesce(resolved_at, $__toTime) AS timeEnd, title AS text, toString(kind) AS tags FROM v_alerts
WHERE kind != 'bulletin_hebdomadaire' AND (uai = '' OR @schools) AND since <= $__toTime AND coalesce(resolved_at, $__toTime) >= $__fromTime
ORDER BY time
