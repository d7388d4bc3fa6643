-- The kinds that workers have declared: their tasks are accepted also while no worker is there.
CREATE TABLE kind (
    namespace TEXT NOT NULL,
    kind      TEXT NOT NULL,
    PRIMARY KEY (namespace, kind)
) STRICT, WITHOUT ROWID;
