UPDATE task SET state = ?2, version = ?3, revision = ?4, wake_at = ?5, claim = 0, finished_at = ?6, life = ?7 WHERE sequence = ?1;
