-- What operators have changed about the settings at run time, under the keys of the settings file. Changed against the settings alone: equal ones are not kept.
CREATE TABLE setting (
    key   TEXT PRIMARY KEY CHECK (key <> ''),
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
