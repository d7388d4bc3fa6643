SELECT sequence, namespace, id, lane, priority, slots, serial_key, state, version, revision, run_at, claim, line, blocked, attempt, losses, finished_at, spec, life
FROM task WHERE sequence = (SELECT task FROM unique_task WHERE namespace = ?1 AND unique_key = ?2);
