INSERT OR REPLACE INTO meta (only, floor, history_floor, may_lose_commits) VALUES (1, ?1, ?2, ?3);
