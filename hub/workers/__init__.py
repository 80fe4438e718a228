"""Worker threads that drain the queues: a crew for each consumer, and their supervisor."""
