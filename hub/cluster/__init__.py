"""What the hubs of a cluster tell each other, and what each makes of it."""
