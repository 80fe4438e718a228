"""The job queue beside procrastinate and TheSchwartz, and under faults."""
