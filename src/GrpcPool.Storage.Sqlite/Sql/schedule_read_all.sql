SELECT namespace, id, data FROM schedule;
