INSERT INTO result (task, data, checksum) VALUES (?1, ?2, ?3);
