INSERT OR REPLACE INTO log (task, offset, data, checksum) VALUES (?1, ?2, ?3, ?4);
