SELECT max(revision) FROM history;
