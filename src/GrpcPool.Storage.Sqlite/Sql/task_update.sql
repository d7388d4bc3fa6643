UPDATE task SET
    state = ?2, version = ?3, revision = ?4, run_at = ?5, wake_at = ?6, claim = ?7, line = ?8, blocked = ?9, attempt = ?10, losses = ?11, finished_at = ?12, life = ?13
WHERE sequence = ?1;
