SELECT floor, history_floor, may_lose_commits FROM meta;
