SELECT min(wake_at) FROM (SELECT min(wake_at) AS wake_at FROM task WHERE wake_at IS NOT NULL UNION ALL SELECT min(wake_at) FROM schedule WHERE wake_at IS NOT NULL);
