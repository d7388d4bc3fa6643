DELETE FROM history WHERE revision <= ?1;
