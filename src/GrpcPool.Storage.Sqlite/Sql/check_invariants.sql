-- What must not be, and how often it is.
SELECT 'lanes whose counts are not those of their tasks', count(*) FROM lane LEFT JOIN (
    SELECT lane, sum(state = 1) AS scheduled, sum(state = 2) AS queued, sum(state = 3) AS running, sum(state = 4) AS retrying, sum(state = 5) AS succeeded,
        sum(state = 6) AS failed, sum(state = 7) AS cancelled, sum(state = 8) AS expired, sum(state = 2 AND blocked = 0) AS ready
    FROM task NOT INDEXED GROUP BY lane) AS counted ON counted.lane = lane.id
WHERE (lane.scheduled, lane.queued, lane.running, lane.retrying, lane.succeeded, lane.failed, lane.cancelled, lane.expired, lane.ready)
    IS NOT (coalesce(counted.scheduled, 0), coalesce(counted.queued, 0), coalesce(counted.running, 0), coalesce(counted.retrying, 0), coalesce(counted.succeeded, 0),
        coalesce(counted.failed, 0), coalesce(counted.cancelled, 0), coalesce(counted.expired, 0), coalesce(counted.ready, 0))
UNION ALL
SELECT 'tasks that are in no lane of their namespace', count(*) FROM task NOT INDEXED WHERE NOT EXISTS (SELECT 1 FROM lane WHERE id = task.lane AND namespace = task.namespace)
UNION ALL
SELECT 'tasks that are newer than the newest revision', count(*) FROM task NOT INDEXED
WHERE revision > (SELECT max(coalesce((SELECT max(revision) FROM history), 0), coalesce((SELECT max(history_floor) FROM meta), 0)))
UNION ALL
SELECT 'claims that are held twice', count(claim) - count(DISTINCT claim) FROM task NOT INDEXED WHERE claim <> 0
UNION ALL
SELECT 'running tasks that no commit has started', (SELECT count(*) FROM task NOT INDEXED WHERE claim <> 0) - (SELECT count(*) FROM running_task)
UNION ALL
SELECT 'finished tasks that no commit has ended', (SELECT count(*) FROM task NOT INDEXED WHERE state >= 5) - (SELECT count(*) FROM finished_task)
UNION ALL
SELECT 'commits of whose tasks more or fewer run than they count', count(*) FROM started WHERE remaining <> (SELECT count(*) FROM running_task WHERE started_by = started.revision)
UNION ALL
SELECT 'commits of whose tasks more or fewer are finished than they count', count(*) FROM ended
WHERE remaining <> (SELECT count(*) FROM finished_task WHERE ended_by = ended.revision)
UNION ALL
SELECT 'serial keys of which two tasks run', count(*) FROM (
    SELECT 1 FROM task WHERE line <> 0 AND state = 3 GROUP BY namespace, serial_key HAVING count(*) > 1)
UNION ALL
SELECT 'tasks that are not blocked behind another, or are behind none', count(*) FROM task AS waiting NOT INDEXED
WHERE state = 2 AND line <> 0 AND blocked <> EXISTS (
    SELECT 1 FROM task WHERE line <> 0 AND namespace = waiting.namespace AND serial_key = waiting.serial_key AND line < waiting.line)
UNION ALL
SELECT 'payloads of no task', count(*) FROM payload WHERE task NOT IN (SELECT sequence FROM task)
UNION ALL
SELECT 'results of no task', count(*) FROM result WHERE task NOT IN (SELECT sequence FROM task)
UNION ALL
SELECT 'tasks of schedules that are gone or have ended', count(*) FROM scheduled_task WHERE task NOT IN (SELECT sequence FROM task WHERE state < 5)
UNION ALL
SELECT 'unique keys of tasks that are gone or have ended', count(*) FROM unique_task WHERE NOT EXISTS (
    SELECT 1 FROM task WHERE sequence = unique_task.task AND namespace = unique_task.namespace AND state < 5)
UNION ALL
SELECT 'tasks with two unique keys', count(task) - count(DISTINCT task) FROM unique_task
UNION ALL
SELECT 'dependencies of tasks that are gone or have ended', count(*) FROM dependency
WHERE NOT EXISTS (SELECT 1 FROM task WHERE sequence = parent) OR NOT EXISTS (SELECT 1 FROM task WHERE sequence = dependant AND state < 5)
UNION ALL
SELECT 'tasks that wait for one that has ended, or do not wait for one that has not', count(*) FROM dependency
WHERE waits = 1 AND (EXISTS (SELECT 1 FROM task WHERE sequence = parent AND state >= 5) OR NOT EXISTS (SELECT 1 FROM task WHERE sequence = dependant AND state = 1))
UNION ALL
SELECT 'tasks that expire though another keeps them', count(*) FROM task NOT INDEXED
WHERE state >= 5 AND wake_at IS NOT NULL AND EXISTS (SELECT 1 FROM dependency WHERE parent = sequence)
UNION ALL
SELECT 'logs of no task', count(DISTINCT task) FROM log WHERE task NOT IN (SELECT sequence FROM task)
UNION ALL
SELECT 'marks of the store but the only one', count(*) - 1 FROM meta;
