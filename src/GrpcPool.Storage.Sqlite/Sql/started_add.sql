INSERT INTO started (revision, tasks, remaining) VALUES (?1, ?2, ?3);
