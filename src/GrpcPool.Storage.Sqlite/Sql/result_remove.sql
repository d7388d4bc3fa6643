DELETE FROM result WHERE task = ?1;
