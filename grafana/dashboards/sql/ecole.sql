-- name: expected_band
-- Connections of each day, and what the same weekday gave in the six weeks before in which the school emitted anything.
WITH @moments,
days AS (
  SELECT slice AS day, @total AS n FROM v_usage_by_day
  WHERE type = 'login' AND slice >= toDate($__fromTime, 'Europe/Paris') - 42 AND slice <= toDate($__toTime, 'Europe/Paris') AND @selected
  GROUP BY day
  UNION ALL
  SELECT start AS day, toUInt64(sum(assumeNotNull(logins))) AS n FROM v_published
  WHERE start >= toDate($__fromTime, 'Europe/Paris') - 42 AND start <= toDate($__toTime, 'Europe/Paris') AND @day_counts
  GROUP BY day),
shown AS (
  SELECT toDate(arrayJoin(range(toUInt32(toDate($__fromTime, 'Europe/Paris')), toUInt32(least(today, toDate($__toTime, 'Europe/Paris'))) + 1))) AS day)
SELECT toDateTime(shown.day, 'Europe/Paris') AS time, any(actual.n) AS `Connexions`,
  if(count(past.n) < 3, NULL, round(quantileExact(0.5)(past.n), 1)) AS `Attendu (médiane)`,
  if(count(past.n) < 3, NULL, min(past.n)) AS `Attendu, bas`,
  if(count(past.n) < 3, NULL, max(past.n)) AS `Attendu, haut`
FROM shown
LEFT JOIN days AS actual ON actual.day = shown.day
LEFT JOIN (SELECT day + 7 * arrayJoin([1, 2, 3, 4, 5, 6]) AS day, toNullable(n) AS n FROM days) AS past ON past.day = shown.day
WHERE (SELECT count() FROM days) > 0
GROUP BY shown.day ORDER BY time

-- name: watched
-- The last judgement of each hour: an hour's connections, and the band in which 95 % of such hours lie.
SELECT max(at) AS time, argMax(observed, at) AS `Observées`, round(argMax(expected, at), 1) AS `Attendues`,
  round(argMax(low, at), 1) AS `Borne basse`, round(argMax(high, at), 1) AS `Borne haute`
FROM v_school_health
WHERE $__timeFilter(at) AND profile = '' AND state NOT IN ('hors_temps_scolaire', 'sans_donnees', 'apprentissage') AND @schools
GROUP BY toStartOfHour(at) ORDER BY time

-- name: classes
SELECT class.label AS `Classe`, arrayStringConcat(class.levels, ', ') AS `Niveaux`, class.pupils AS `Élèves`,
  if(class.teacher_trained, 'Formé', 'Non formé') AS `Enseignant`, if(class.projector, 'Équipée', 'Non équipée') AS `Équipement`,
  if(used.people = 0, 0, @masked(used.people)) AS `Personnes`,
  if(used.people BETWEEN 1 AND @k - 1 OR account.activated = 0, NULL, round(100 * used.people / account.activated, 1)) AS `Taux de connexion`,
  if(used.people = 0, 'Zéro', if(used.people < @k, 'Masqué', 'Active')) AS `État`
FROM (SELECT * FROM v_classes WHERE @schools) AS class
LEFT JOIN (
  SELECT class_id, uniqExactMerge(users) AS people FROM v_usage_by_day
  WHERE type = 'login' AND @in_period AND @selected GROUP BY class_id) AS used ON used.class_id = class.class_id
LEFT JOIN (SELECT class_id, sum(activated) AS activated FROM v_accounts WHERE @selected GROUP BY class_id) AS account
  ON account.class_id = class.class_id
WHERE @exact ORDER BY indexOf(['TPS', 'PS', 'MS', 'GS', 'CP', 'CE1', 'CE2', 'CM1', 'CM2'], class.levels[1]), `Classe`

-- name: people_by_profile
SELECT @profile_label AS `Profil`, uniqExactMerge(users) AS `Personnes`
FROM (SELECT * FROM v_usage_by_day WHERE type = 'login' AND @in_period AND @selected) AS used
LEFT JOIN v_profiles AS labels ON labels.profile = used.profile
GROUP BY `Profil` HAVING `Personnes` >= @k ORDER BY `Personnes` DESC, `Profil`

-- name: devices
SELECT transform(toString(device), ['ordinateur', 'smartphone', 'tablette', 'autre'], ['Ordinateur', 'Smartphone', 'Tablette', 'Autre appareil'], 'Non précisé') AS `Appareil`,
  count() AS `Connexions`
FROM v_events WHERE type = 'login' AND $__timeFilter(event_time) AND @with_school AND @profiles
GROUP BY `Appareil` ORDER BY `Connexions` DESC, `Appareil`

-- name: quality
WITH (SELECT (count(), countIf(class_id = 'unmapped'), countIf(app = 'autre'), countIf(uai_letter_wrong), countIf(profile = 'inconnu'),
    countIf(arrived_at - event_time > 3600))
  FROM v_events WHERE $__timeFilter(event_time) AND @with_school AND @profiles) AS found,
  (SELECT count() FROM v_dead_letters
   WHERE arrived_at >= $__fromTime AND arrived_at <= $__toTime AND school IN (SELECT uai FROM v_schools WHERE @schools
     UNION ALL SELECT arrayJoin(structure_ids) FROM v_schools WHERE @schools)) AS refused
SELECT note.1 AS `Constat`, note.2 AS `Nombre`, if(found.1 = 0 OR note.1 = 'Enregistrements refusés', NULL, round(100 * note.2 / found.1, 1)) AS `Part`
FROM (SELECT arrayJoin([
  ('Événements reçus', found.1), ('Classe inconnue de l’annuaire', found.2), ('Application inconnue du catalogue', found.3),
  ('Lettre-clé de l’UAI fausse', found.4), ('Profil inconnu', found.5), ('Arrivés plus d’une heure après', found.6),
  ('Enregistrements refusés', refused)]) AS note)
WHERE found.1 > 0

-- name: connections_per_person
SELECT round(@total / uniqExactMerge(users), 1) AS connexions FROM v_usage_by_day
WHERE type = 'login' AND @in_period AND @selected HAVING count() > 0
