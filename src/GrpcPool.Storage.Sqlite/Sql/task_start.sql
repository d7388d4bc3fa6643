UPDATE task SET state = 3, version = ?2, revision = ?3, claim = ?4, attempt = ?5, life = ?6 WHERE sequence = ?1;
