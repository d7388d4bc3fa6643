SELECT id FROM lane WHERE namespace = ?1 AND queue = ?2;
