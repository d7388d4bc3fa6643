DELETE FROM scheduled_task WHERE task = ?1;
