SELECT offset, data, checksum FROM log;
