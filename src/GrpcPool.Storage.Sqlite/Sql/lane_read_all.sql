SELECT id, namespace, queue, kind, scheduled, queued, running, retrying, succeeded, failed, cancelled, expired, ready FROM lane;
