SELECT revision, remaining FROM ended WHERE revision >= ?1 ORDER BY revision LIMIT 1;
