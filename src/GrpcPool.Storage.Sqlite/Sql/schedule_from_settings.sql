SELECT namespace, id FROM schedule WHERE from_settings = 1 ORDER BY namespace, id;
