SELECT namespace, id, data FROM schedule WHERE namespace = ?1 AND id > ?2 AND deleted = 0 ORDER BY id;
