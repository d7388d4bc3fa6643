SELECT offset, data, checksum FROM log
WHERE task = ?1 AND offset >= coalesce((SELECT max(offset) FROM log WHERE task = ?1 AND offset <= ?2), 0)
ORDER BY offset;
