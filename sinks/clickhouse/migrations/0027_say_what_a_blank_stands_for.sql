-- A blank may stand for a few more than k - 1 persons: half of the cells of exactly k, and those whose multiple of 5 is
-- below k, are not shown either.
CREATE OR REPLACE VIEW ${database}_public.v_reading ${on_cluster} AS
SELECT 'public' AS reading, k,
  concat('Chiffres publiés, arrondis à un multiple de 5. Une case vide : moins de ',
    toString(greatest(k + 1, intDiv(k + 4, 5) * 5)), ' personnes, ou aucune.') AS note
FROM ${database}_public.progress FINAL;
