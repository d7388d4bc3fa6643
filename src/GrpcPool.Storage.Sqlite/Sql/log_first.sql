SELECT offset, data, checksum FROM log WHERE task = ?1 ORDER BY offset LIMIT 1;
