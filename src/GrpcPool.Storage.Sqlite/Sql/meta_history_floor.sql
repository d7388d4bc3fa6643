UPDATE meta SET history_floor = ?1;
