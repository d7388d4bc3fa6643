INSERT INTO task (
    sequence, state, version, revision, run_at, wake_at, claim, line, blocked, attempt, losses, finished_at, life,
    namespace, id, lane, priority, slots, serial_key, spec)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20);
