INSERT INTO payload (task, data, checksum) VALUES (?1, ?2, ?3);
