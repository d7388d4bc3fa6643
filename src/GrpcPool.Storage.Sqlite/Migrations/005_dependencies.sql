-- Which tasks are to run after which, for those that have not ended; by their sequences. What has ended is kept by those that were to run after it.
CREATE TABLE dependency (
    parent    INTEGER NOT NULL,
    dependant INTEGER NOT NULL CHECK (dependant > parent),
    waits     INTEGER NOT NULL CHECK (waits IN (0, 1)),  -- whether the parent has not ended yet
    PRIMARY KEY (parent, dependant)
) STRICT, WITHOUT ROWID;

CREATE INDEX dependency_dependant ON dependency (dependant);
