SELECT namespace, kind FROM kind;
