SELECT id, sequence, priority, run_at, slots, serial_key, losses
FROM task
WHERE lane = (SELECT id FROM lane WHERE namespace = ?1 AND queue = ?2 AND kind = ?3) AND state = 2 AND blocked = 0 AND slots <= ?4
ORDER BY priority DESC, run_at, sequence
LIMIT ?5;
