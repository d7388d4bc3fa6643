-- Times are in ticks of 100 ns since 1970, UTC. Blobs are packed by the classes in Rows/.

-- How the store stands as a whole: one row.
CREATE TABLE meta (
    only             INTEGER PRIMARY KEY CHECK (only = 1),
    floor            INTEGER NOT NULL,               -- no older revision has a meaning here
    history_floor    INTEGER NOT NULL,               -- changes up to here are no longer known
    may_lose_commits INTEGER NOT NULL CHECK (may_lose_commits IN (0, 1))  -- open, or ended uncleanly, below synchronous=FULL
) STRICT;

-- The tasks of one kind in one queue of one namespace, counted by state.
CREATE TABLE lane (
    id        INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL,
    queue     TEXT NOT NULL,
    kind      TEXT NOT NULL,
    scheduled INTEGER NOT NULL CHECK (scheduled >= 0),
    queued    INTEGER NOT NULL CHECK (queued >= 0),
    running   INTEGER NOT NULL CHECK (running >= 0),
    retrying  INTEGER NOT NULL CHECK (retrying >= 0),
    succeeded INTEGER NOT NULL CHECK (succeeded >= 0),
    failed    INTEGER NOT NULL CHECK (failed >= 0),
    cancelled INTEGER NOT NULL CHECK (cancelled >= 0),
    expired   INTEGER NOT NULL CHECK (expired >= 0),
    ready     INTEGER NOT NULL CHECK (ready BETWEEN 0 AND queued),
    UNIQUE (namespace, queue, kind)
) STRICT;

CREATE TABLE task (
    sequence    INTEGER PRIMARY KEY,
    namespace   TEXT NOT NULL,
    id          TEXT NOT NULL,
    lane        INTEGER NOT NULL,
    priority    INTEGER NOT NULL,
    slots       INTEGER NOT NULL CHECK (slots > 0),
    serial_key  TEXT CHECK (serial_key <> ''),
    state       INTEGER NOT NULL CHECK (state BETWEEN 1 AND 8),
    version     INTEGER NOT NULL CHECK (version > 0),
    revision    INTEGER NOT NULL CHECK (revision >= sequence),
    run_at      INTEGER NOT NULL,
    wake_at     INTEGER,                             -- when the clock alone next changes the task
    claim       INTEGER NOT NULL CHECK ((claim <> 0) = (state = 3)),
    line        INTEGER NOT NULL CHECK (line = 0 OR (serial_key IS NOT NULL AND state BETWEEN 2 AND 4)),
    blocked     INTEGER NOT NULL CHECK (blocked = 0 OR (blocked = 1 AND state = 2 AND line <> 0)),
    attempt     INTEGER NOT NULL CHECK (attempt >= 0),
    losses      INTEGER NOT NULL CHECK (losses >= 0),
    finished_at INTEGER CHECK ((finished_at IS NOT NULL) = (state >= 5)),
    spec        BLOB NOT NULL,                       -- what never changes
    life        BLOB NOT NULL,                       -- what does, and no query asks for
    UNIQUE (namespace, id)
) STRICT;

-- What starts next; the sequence follows of itself.
CREATE INDEX task_ready ON task (lane, priority DESC, run_at) WHERE state = 2 AND blocked = 0;
CREATE INDEX task_wake ON task (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX task_finished ON task (revision) WHERE state >= 5;
CREATE INDEX task_running ON task (claim) WHERE claim <> 0;
CREATE INDEX task_line ON task (namespace, serial_key, line) WHERE line <> 0;

-- Payloads and results that are too large for the row of their task.
CREATE TABLE payload (task INTEGER PRIMARY KEY, data BLOB NOT NULL, checksum INTEGER NOT NULL) STRICT;
CREATE TABLE result (task INTEGER PRIMARY KEY, data BLOB NOT NULL, checksum INTEGER NOT NULL) STRICT;

-- The last bytes of each task's log, in chunks.
CREATE TABLE log (
    task   INTEGER NOT NULL,
    offset INTEGER NOT NULL CHECK (offset >= 0),
    data   BLOB NOT NULL CHECK (length(data) > 0),
    checksum INTEGER NOT NULL,
    PRIMARY KEY (task, offset)
) STRICT, WITHOUT ROWID;

-- What each commit changed, for watches that resume; the key is its last revision.
CREATE TABLE history (revision INTEGER PRIMARY KEY, changes BLOB NOT NULL) STRICT;
