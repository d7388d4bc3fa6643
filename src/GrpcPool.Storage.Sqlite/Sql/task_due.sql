SELECT sequence, namespace, id, lane, priority, slots, serial_key, state, version, revision, run_at, claim, line, blocked, attempt, losses, finished_at, spec, life
FROM task WHERE wake_at <= ?1 ORDER BY wake_at, sequence LIMIT ?2;
