INSERT INTO lane (id, namespace, queue, kind, scheduled, queued, running, retrying, succeeded, failed, cancelled, expired, ready)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
ON CONFLICT (id) DO UPDATE SET
    scheduled = ?5, queued = ?6, running = ?7, retrying = ?8, succeeded = ?9, failed = ?10, cancelled = ?11, expired = ?12, ready = ?13;
