SELECT revision FROM history WHERE revision <= ?1 ORDER BY revision LIMIT ?2;
