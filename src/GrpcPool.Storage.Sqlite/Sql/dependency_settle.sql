UPDATE dependency SET waits = 0 WHERE parent = ?1 AND waits = 1;
