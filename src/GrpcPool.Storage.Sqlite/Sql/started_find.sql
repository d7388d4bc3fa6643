SELECT revision, remaining FROM started WHERE revision >= ?1 ORDER BY revision LIMIT 1;
