DELETE FROM lane WHERE id = ?1;
