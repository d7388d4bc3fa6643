-- Who has which unique key: the tasks with one that have not ended, so that there cannot be two.
CREATE TABLE unique_task (
    namespace  TEXT NOT NULL,
    unique_key TEXT NOT NULL CHECK (unique_key <> ''),
    task       INTEGER NOT NULL,
    PRIMARY KEY (namespace, unique_key)
) STRICT, WITHOUT ROWID;
