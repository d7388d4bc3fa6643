DELETE FROM schedule WHERE namespace = ?1 AND id = ?2;
