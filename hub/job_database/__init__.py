"""The hub's side of a database of jobs: consumers' sources of work, and the thread that claims and settles for them."""
