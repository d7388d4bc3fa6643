SELECT sequence, namespace, id, lane, priority, slots, serial_key, state, version, revision, run_at, claim, line, blocked, attempt, losses, finished_at, spec, life
FROM task NOT INDEXED
WHERE sequence >= ?1 AND state = 2 AND attempt = 0 AND priority <= ?2 AND lane IN (SELECT id FROM lane WHERE namespace = ?3 AND queue = ?4)
ORDER BY sequence LIMIT 1;
