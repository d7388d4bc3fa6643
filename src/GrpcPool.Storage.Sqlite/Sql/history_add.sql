INSERT INTO history (revision, changes) VALUES (?1, ?2);
