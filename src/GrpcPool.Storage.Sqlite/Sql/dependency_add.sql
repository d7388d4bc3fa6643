INSERT INTO dependency (parent, dependant, waits) VALUES (?1, ?2, ?3);
