DELETE FROM task WHERE sequence = ?1;
