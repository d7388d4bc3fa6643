SELECT namespace, id, claim FROM task WHERE claim <> 0;
