"""Numbers that only grow, and what is worked out from them. They know nothing of queues."""
