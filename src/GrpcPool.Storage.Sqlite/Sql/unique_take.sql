INSERT INTO unique_task (namespace, unique_key, task) VALUES (?1, ?2, ?3);
