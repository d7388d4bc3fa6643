SELECT data, checksum FROM payload WHERE task = ?1;
