DELETE FROM log WHERE task = ?1 AND offset < ?2;
