SELECT revision, changes FROM history WHERE revision > ?1 ORDER BY revision;
