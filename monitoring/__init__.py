"""Where the numbers go: exporters and drawings."""
