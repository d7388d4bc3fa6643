-- Each list is in order already: by the revision as well, all of them would have to be read and sorted.
SELECT sequence, namespace, id, lane, priority, slots, serial_key, state, version, revision, run_at, claim, line, blocked, attempt, losses, finished_at, spec, life
FROM finished_task WHERE NOT EXISTS (SELECT 1 FROM dependency WHERE parent = sequence) ORDER BY ended_by LIMIT ?1;
