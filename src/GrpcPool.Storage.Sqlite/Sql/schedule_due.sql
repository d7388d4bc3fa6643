SELECT namespace, id FROM schedule WHERE wake_at <= ?1 ORDER BY wake_at, namespace, id LIMIT ?2;
