SELECT namespace, queue, kind FROM lane WHERE id = ?1;
