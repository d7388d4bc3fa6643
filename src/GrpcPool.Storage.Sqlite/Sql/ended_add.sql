INSERT INTO ended (revision, tasks, remaining) VALUES (?1, ?2, ?3);
