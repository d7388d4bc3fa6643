DELETE FROM started WHERE revision = ?1;
