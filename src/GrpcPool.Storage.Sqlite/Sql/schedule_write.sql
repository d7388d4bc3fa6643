INSERT INTO schedule (namespace, id, deleted, from_settings, wake_at, rewind_at, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (namespace, id) DO UPDATE SET
    deleted = excluded.deleted, from_settings = excluded.from_settings, wake_at = excluded.wake_at, rewind_at = excluded.rewind_at, data = excluded.data;
