SELECT namespace, id, claim FROM running_task;
