SELECT data, checksum FROM result WHERE task = ?1;
