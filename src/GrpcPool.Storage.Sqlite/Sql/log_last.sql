SELECT offset, data, checksum FROM log WHERE task = ?1 ORDER BY offset DESC LIMIT 1;
