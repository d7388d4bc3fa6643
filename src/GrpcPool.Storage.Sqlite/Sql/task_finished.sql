SELECT sequence, namespace, id, lane, priority, slots, serial_key, state, version, revision, run_at, claim, line, blocked, attempt, losses, finished_at, spec, life
FROM task WHERE state >= 5 AND NOT EXISTS (SELECT 1 FROM dependency WHERE parent = task.sequence) ORDER BY revision LIMIT ?1;
