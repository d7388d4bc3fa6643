DELETE FROM payload WHERE task = ?1;
