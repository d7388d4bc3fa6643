DELETE FROM unique_task WHERE namespace = ?1 AND unique_key = ?2;
