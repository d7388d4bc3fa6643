DELETE FROM dependency WHERE dependant = ?1;
