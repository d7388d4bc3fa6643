-- What submits tasks by itself. Those that were deleted though the settings name them stay, so that they do not come back.
CREATE TABLE schedule (
    namespace     TEXT NOT NULL,
    id            TEXT NOT NULL,
    deleted       INTEGER NOT NULL CHECK (deleted IN (0, 1)),
    from_settings INTEGER NOT NULL CHECK (from_settings IN (0, 1)),
    wake_at       INTEGER CHECK (wake_at IS NULL OR deleted = 0),  -- when it fires next
    rewind_at     INTEGER,                                         -- if the clock is set to before this, wake_at has to be found anew
    data          BLOB NOT NULL,
    PRIMARY KEY (namespace, id),
    CHECK (deleted = 0 OR from_settings = 1)
) STRICT;

CREATE INDEX schedule_wake ON schedule (wake_at) WHERE wake_at IS NOT NULL;

-- The tasks of schedules that have not ended. A task's id is made of its schedule and its due time: no due time can have two.
CREATE TABLE scheduled_task (
    task      INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL,
    schedule  TEXT NOT NULL,
    id        TEXT NOT NULL,
    UNIQUE (namespace, schedule, task)
) STRICT;
