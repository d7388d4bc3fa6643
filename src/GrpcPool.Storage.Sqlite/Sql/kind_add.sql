INSERT OR IGNORE INTO kind (namespace, kind) VALUES (?1, ?2);
