SELECT namespace, id FROM schedule WHERE rewind_at > ?1 ORDER BY namespace, id;
