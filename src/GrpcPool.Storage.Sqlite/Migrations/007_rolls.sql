-- What each commit has started, and what it has ended: indexes that cost a row for each commit instead of an entry for each task. A task is listed by how far its sequence is below
-- the revision of the commit, in the order of their revisions. A row stays until none of its tasks remains; one that has left is still listed till then, and known by its claim or revision, which is a later one.
CREATE TABLE started (
    revision  INTEGER PRIMARY KEY,
    tasks     TEXT NOT NULL,                          -- a JSON array
    remaining INTEGER NOT NULL CHECK (remaining > 0)  -- how many still run
) STRICT;
CREATE TABLE ended (
    revision  INTEGER PRIMARY KEY,
    tasks     TEXT NOT NULL,                          -- a JSON array
    remaining INTEGER NOT NULL CHECK (remaining > 0)  -- how many are still as they ended
) STRICT;

CREATE VIEW running_task AS
SELECT task.*, started.revision AS started_by
FROM started CROSS JOIN json_each(started.tasks) AS listed CROSS JOIN task ON task.sequence = started.revision - listed.value
WHERE task.claim BETWEEN 1 AND started.revision;
CREATE VIEW finished_task AS
SELECT task.*, ended.revision AS ended_by
FROM ended CROSS JOIN json_each(ended.tasks) AS listed CROSS JOIN task ON task.sequence = ended.revision - listed.value
WHERE task.state >= 5 AND task.revision <= ended.revision;

INSERT INTO started (revision, tasks, remaining) SELECT claim, json_array(claim - sequence), 1 FROM task WHERE claim <> 0;
INSERT INTO ended (revision, tasks, remaining) SELECT revision, json_array(revision - sequence), 1 FROM task WHERE state >= 5;
DROP INDEX task_running;
DROP INDEX task_finished;
