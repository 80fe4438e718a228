"""The threads that drain the queues: one crew for each consumer, and who looks after them."""
