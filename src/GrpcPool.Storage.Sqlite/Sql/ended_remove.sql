DELETE FROM ended WHERE revision = ?1;
