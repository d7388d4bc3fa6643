UPDATE started SET remaining = ?2 WHERE revision = ?1;
