SELECT namespace, id FROM scheduled_task WHERE namespace = ?1 AND schedule = ?2 ORDER BY task LIMIT ?3;
