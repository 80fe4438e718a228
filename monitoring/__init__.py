"""Monitoring: exporters of the hub's numbers, graphs, and the web server."""
