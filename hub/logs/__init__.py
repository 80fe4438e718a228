"""The log: its destinations and formats, and the collapse of repeated lines."""
