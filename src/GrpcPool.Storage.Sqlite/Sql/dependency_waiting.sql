SELECT sequence, namespace, id, lane, priority, slots, serial_key, state, version, revision, run_at, claim, line, blocked, attempt, losses, finished_at, spec, life
FROM task WHERE sequence IN (SELECT dependant FROM dependency WHERE parent = ?1 AND waits = 1) ORDER BY sequence;
