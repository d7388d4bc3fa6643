INSERT OR IGNORE INTO scheduled_task (task, namespace, schedule, id) VALUES (?1, ?2, ?3, ?4);
