-- name: connections
-- The columns of the CSV of ONE and NEO, one line for each school, day and profile with any connection.
SELECT * FROM (
SELECT school.name AS `établissement`, used.uai AS `UAI`, formatDateTime(used.day, '%Y-%m-%d') AS `date`, @profile_label AS `profil`,
  used.n AS `connexions`, used.persons AS `visiteurs uniques`, account.loaded AS `comptes chargés`, account.activated AS `comptes activés`
FROM (
  SELECT uai, slice AS day, profile, sum(events) AS n, uniqExactMerge(users) AS persons FROM v_usage_by_day
  WHERE type = 'login' AND @in_period AND @selected GROUP BY uai, day, profile) AS used
JOIN v_schools AS school ON school.uai = used.uai
LEFT JOIN v_profiles AS labels ON labels.profile = used.profile
LEFT JOIN (SELECT uai, profile, toNullable(sum(loaded)) AS loaded, toNullable(sum(activated)) AS activated FROM v_accounts GROUP BY uai, profile) AS account
  ON account.uai = used.uai AND account.profile = used.profile
UNION ALL
SELECT school.name, used.place, formatDateTime(used.start, '%Y-%m-%d'), @published_label, used.logins, used.users, account.loaded, account.activated
FROM (SELECT start, place, kind, logins, users FROM v_published
  WHERE grain = 'school_profile_day' AND @start_in_period AND @chosen_places AND $__conditionalAll(kind IN (${profil:sqlstring}), $profil)) AS used
JOIN v_schools AS school ON school.uai = used.place
LEFT JOIN v_profiles AS labels ON labels.profile = used.kind
LEFT JOIN (
  SELECT uai, if(profile IN ('eleve', 'parent'), profile, 'adulte') AS kind, toNullable(sum(loaded)) AS loaded, toNullable(sum(activated)) AS activated
  FROM v_accounts GROUP BY uai, kind) AS account ON account.uai = used.place AND account.kind = used.kind)
ORDER BY `date`, `établissement`, `profil` LIMIT 10000

-- name: accesses
SELECT * FROM (
SELECT school.name AS `établissement`, used.uai AS `UAI`, formatDateTime(used.day, '%Y-%m-%d') AS `date`, @profile_label AS `profil`,
  used.module AS `module`, used.n AS `nombre d’accès`
FROM (
  SELECT app_used.uai AS uai, app_used.day AS day, app_used.profile AS profile,
    multiIf(apps.label != '', apps.label, app_used.app IN ('', 'autre'), 'Autres (non reconnues)', app_used.app) AS module, app_used.n AS n
  FROM (
    SELECT uai, slice AS day, profile, app, sum(events) AS n FROM v_app_usage_by_day
    WHERE type = 'app_visit' AND @in_period AND @selected GROUP BY uai, day, profile, app) AS app_used
  LEFT JOIN v_applications AS apps ON apps.app = app_used.app) AS used
JOIN v_schools AS school ON school.uai = used.uai
LEFT JOIN v_profiles AS labels ON labels.profile = used.profile
UNION ALL
SELECT school.name, used.place, formatDateTime(used.start, '%Y-%m-%d'), 'Tous', @published_app, used.visits
FROM (SELECT start, place, kind, visits FROM v_published WHERE @start_in_period AND @published_apps) AS used
JOIN v_schools AS school ON school.uai = used.place
LEFT JOIN v_applications AS labels ON labels.app = used.kind)
ORDER BY `date`, `établissement`, `profil`, `module` LIMIT 10000

-- name: visits
-- A visit is a run of connections and openings of one person in one school that no pause of more than 30 minutes cuts,
-- and no Monday 00:00. Its length goes from its first to its last event. Who is not named makes no visit.
SELECT week, uai, profile, user_key, arrayJoin(runs) AS run, run[-1].1 - run[1].1 AS seconds,
  arrayFirst(step -> step.3 NOT IN ('', 'inconnu'), run).3 AS device
FROM (
  SELECT week, uai, profile, user_key, arraySort(groupArray((toUnixTimestamp(event_time), toString(service), toString(device)))) AS steps,
    arraySplit((step, before) -> step.1 - before.1 > 1800, steps, arrayPushFront(arrayPopBack(steps), steps[1])) AS runs
  FROM (
    SELECT event_time, toMonday(toDate(event_time, 'Europe/Paris')) AS week, service, device, profile, user_key, uai
    FROM (
      SELECT event_time, service, device, profile, user_key,
        arrayJoin(arrayPushFront(arrayMap(u -> toString(u), other_uai), toString(v_events.uai))) AS uai
      FROM v_events WHERE type IN ('login', 'app_visit') AND user_key != 0 AND $__timeFilter(event_time))
    WHERE week >= toDate($__fromTime, 'Europe/Paris') AND @selected)
  GROUP BY week, uai, profile, user_key)

-- name: dnma_keys
-- What the directory does not hold stays empty.
formatDateTime(used.week, '%Y-%m-%d') AS debutsemaine, used.uai AS uai, any(school.academie) AS academie, any(school.commune) AS commune,
  '' AS departement, '' AS region, '' AS ministere, any(school.circonscription) AS circonscription, any(school.nature) AS nature_uai, '' AS secteur

-- name: duration
leftPad(toString(intDiv(@column, 3600)), 2, '0') || ':' || leftPad(toString(intDiv(@column, 60) % 60), 2, '0') || ':' || leftPad(toString(@column % 60), 2, '0')

-- name: whole
count() AS visites_globales, uniqExact(used.user_key) AS utilisateurs_globales, sum(used.seconds) AS seconds_globales

-- name: of_profile
countIf(labels.dnma = '@column') AS visites_@column, uniqExactIf(used.user_key, labels.dnma = '@column') AS utilisateurs_@column,
  sumIf(used.seconds, labels.dnma = '@column') AS seconds_@column

-- name: shown
visites_@column, utilisateurs_@column, @duration(seconds_@column) AS duree_@column

-- name: dnma_profiles
SELECT debutsemaine, uai, academie, commune, departement, region, ministere, circonscription, nature_uai, secteur,
  @shown(globales), @shown(eleve), @shown(parent), @shown(enseignant), @shown(admin_vie_scol_tech)
FROM (
  SELECT @dnma_keys, @whole, @of_profile(eleve), @of_profile(parent), @of_profile(enseignant), @of_profile(admin_vie_scol_tech)
  FROM (@visits) AS used
  JOIN v_schools AS school ON school.uai = used.uai
  LEFT JOIN v_profiles AS labels ON labels.profile = used.profile
  GROUP BY used.week, used.uai)
ORDER BY debutsemaine, uai

-- name: of_device
countIf(used.kind = '@column') AS visites_@column, uniqExactIf(used.user_key, used.kind = '@column') AS utilisateurs_@column,
  sumIf(used.seconds, used.kind = '@column') AS seconds_@column

-- name: dnma_devices
SELECT debutsemaine, uai, academie, commune, departement, region, ministere, circonscription, nature_uai, secteur,
  @shown(globales), @shown(ordinateur), @shown(smartphone), @shown(tablette), @shown(autreappareil)
FROM (
  SELECT @dnma_keys, @whole, @of_device(ordinateur), @of_device(smartphone), @of_device(tablette), @of_device(autreappareil)
  FROM (SELECT *, if(device IN ('ordinateur', 'smartphone', 'tablette'), device, 'autreappareil') AS kind FROM (@visits)) AS used
  JOIN v_schools AS school ON school.uai = used.uai
  GROUP BY used.week, used.uai)
ORDER BY debutsemaine, uai

-- name: service_steps
-- Each opening of a service within a visit, and the seconds until the visit's next event.
SELECT week, uai, user_key, visit, step.2 AS service, step.4 AS seconds FROM (
  SELECT week, uai, user_key, (profile, run[1].1) AS visit,
    arrayJoin(arrayMap((step, next) -> (step.1, step.2, step.3, next.1 - step.1), run, arrayPushBack(arrayPopFront(run), run[-1]))) AS step
  FROM (@visits))
WHERE service != ''

-- name: of_service
sumIf(used.visits, used.service = '@column') AS visites_@column, sumIf(used.persons, used.service = '@column') AS utilisateurs_@column,
  sumIf(used.seconds, used.service = '@column') AS seconds_@column

-- name: dnma_services
SELECT debutsemaine, uai, academie, commune, departement, region, ministere, circonscription, nature_uai, secteur,
  @shown(accueil), @shown(actualites), @shown(cahier_textes), @shown(cahier_liaison), @shown(courrier_electronique),
  @shown(messagerie_instantanee), @shown(visioconference), @shown(stockage_partage), @shown(production_collaborative),
  @shown(documentation_cdi), @shown(parcours_pedagogique), @shown(reservation_salles_materiels), @shown(service_collectivite),
  @shown(services_vie_scolaire), @shown(gestion_temps), @shown(absences), @shown(gestion_competences), @shown(notes),
  @shown(manuel_numerique), @shown(ressource_multimedia), @shown(ressource_orientation), @shown(ressource_production),
  @shown(ressource_accompagnement_entrainement), @shown(ressource_reference_dictionnaire), @shown(ressource_documentaire)
FROM (
  SELECT @dnma_keys,
    @of_service(accueil), @of_service(actualites), @of_service(cahier_textes), @of_service(cahier_liaison), @of_service(courrier_electronique),
    @of_service(messagerie_instantanee), @of_service(visioconference), @of_service(stockage_partage), @of_service(production_collaborative),
    @of_service(documentation_cdi), @of_service(parcours_pedagogique), @of_service(reservation_salles_materiels), @of_service(service_collectivite),
    @of_service(services_vie_scolaire), @of_service(gestion_temps), @of_service(absences), @of_service(gestion_competences), @of_service(notes),
    @of_service(manuel_numerique), @of_service(ressource_multimedia), @of_service(ressource_orientation), @of_service(ressource_production),
    @of_service(ressource_accompagnement_entrainement), @of_service(ressource_reference_dictionnaire), @of_service(ressource_documentaire)
  FROM (
    SELECT week, uai, service, uniqExact(user_key, visit) AS visits, uniqExact(user_key) AS persons, sum(seconds) AS seconds
    FROM (@service_steps) GROUP BY week, uai, service) AS used
  JOIN v_schools AS school ON school.uai = used.uai
  GROUP BY used.week, used.uai)
ORDER BY debutsemaine, uai
