-- Where a dashboard takes published figures from. In the exact reading v_published has no row, and in the published one the
-- exact views have none: a statement joins both by UNION ALL, and one of them gives the answer.

-- name: exact
-- What gives rows without any event, zeros for example, must not in the published reading.
(SELECT reading FROM v_reading) = 'exact'

-- name: public
(SELECT reading FROM v_reading) = 'public'

-- name: every_school
($__conditionalAll(0, $ecole))

-- name: every_profile
($__conditionalAll(0, $profil))

-- name: chosen_places
-- Of the reader's choice, and at All every school that is published: no question is asked of v_schools, as the exact reading
-- would ask it too.
$__conditionalAll(place IN (${ecole:sqlstring}), $ecole)

-- name: chosen_kinds
kind IN (${profil:sqlstring})

-- name: day_counts
-- Cells whose counts add up to the choice. Adults of one school are one profile, adulte, which nobody chooses alone.
(grain = 'territory_day' AND @every_school AND @every_profile
  OR grain = 'territory_profile_day' AND @every_school AND NOT @every_profile AND @chosen_kinds
  OR grain = 'school_day' AND NOT @every_school AND @every_profile AND @chosen_places
  OR grain = 'school_profile_day' AND NOT @every_school AND NOT @every_profile AND @chosen_places AND @chosen_kinds)

-- name: day_persons
-- Distinct persons are known of one cell, never of several.
@day_counts AND (@every_school OR length([${ecole:sqlstring}]) = 1) AND (@every_profile OR length([${profil:sqlstring}]) = 1)

-- name: day_profiles
-- Cells of each profile of the choice.
(grain = 'territory_profile_day' AND @every_school OR grain = 'school_profile_day' AND NOT @every_school AND @chosen_places)
  AND $__conditionalAll(kind IN (${profil:sqlstring}), $profil)

-- name: published_label
multiIf(used.kind = 'adulte', 'Adultes', labels.label = '', used.kind, labels.label)

-- name: published_apps
-- Of all profiles together.
grain = 'school_app_day' AND @every_profile AND @chosen_places

-- name: published_app
multiIf(labels.label != '', labels.label, used.kind IN ('', 'autre'), 'Autres (non reconnues)', used.kind)

-- name: start_in_period
start BETWEEN toDate($__fromTime, 'Europe/Paris') AND toDate($__toTime, 'Europe/Paris')

-- name: published_hours
-- Connections of each hour of a day: of the territory by profile, of schools of all profiles together.
SELECT start, toUInt8OrZero(splitByChar(' ', toString(kind))[-1]) AS hour, logins FROM v_published
WHERE grain = 'territory_profile_hour' AND @every_school AND $__conditionalAll(splitByChar(' ', toString(kind))[1] IN (${profil:sqlstring}), $profil)
  OR grain = 'school_hour' AND NOT @every_school AND @every_profile AND @chosen_places

-- name: whole_hours_passed
-- Hours of the day that are over, of 24.
if(toDate(until + 1, 'Europe/Paris') > today, 24, toHour(until, 'Europe/Paris'))
