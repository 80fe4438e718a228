"""The log: where it goes, in which format, and repeated lines told once, with their count."""
