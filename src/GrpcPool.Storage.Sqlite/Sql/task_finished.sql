SELECT sequence, namespace, id, lane, priority, slots, serial_key, state, version, revision, run_at, claim, line, blocked, attempt, losses, finished_at, spec, life
FROM finished_task WHERE NOT EXISTS (SELECT 1 FROM dependency WHERE parent = sequence) ORDER BY ended_by, revision LIMIT ?1;
