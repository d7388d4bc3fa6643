SELECT sequence, namespace, id, lane, priority, slots, serial_key, state, version, revision, run_at, claim, line, blocked, attempt, losses, finished_at, spec, life
FROM task WHERE sequence IN (SELECT parent FROM dependency WHERE dependant = ?1) ORDER BY sequence;
