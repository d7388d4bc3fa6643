SELECT count(*) FROM schedule;
