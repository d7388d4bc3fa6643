-- The oldest is the first of its priority: one step of the index for each priority there is.
WITH RECURSIVE
    lane_id(id) AS (SELECT id FROM lane WHERE namespace = ?1 AND queue = ?2 AND kind = ?3),
    priority_of(priority) AS (
        SELECT max(priority) FROM task WHERE lane = (SELECT id FROM lane_id) AND state = 2 AND blocked = 0
        UNION ALL
        SELECT (SELECT max(priority) FROM task WHERE lane = (SELECT id FROM lane_id) AND state = 2 AND blocked = 0 AND priority < priority_of.priority)
        FROM priority_of WHERE priority IS NOT NULL)
SELECT min((SELECT min(run_at) FROM task WHERE lane = (SELECT id FROM lane_id) AND state = 2 AND blocked = 0 AND priority = priority_of.priority))
FROM priority_of WHERE priority IS NOT NULL;
