SELECT min(wake_at) FROM task WHERE wake_at IS NOT NULL;
