-- Three ranges of the index, so that no more is read than is counted.
SELECT count(*) FROM (
    SELECT 1 FROM task WHERE lane = ?1 AND state = 2 AND blocked = 0 AND priority > ?2
    UNION ALL
    SELECT 1 FROM task WHERE lane = ?1 AND state = 2 AND blocked = 0 AND priority = ?2 AND run_at < ?3
    UNION ALL
    SELECT 1 FROM task WHERE lane = ?1 AND state = 2 AND blocked = 0 AND priority = ?2 AND run_at = ?3 AND sequence < ?4
    LIMIT ?5);
