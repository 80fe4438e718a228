"""Backends: connections to a bus. Each imports only the bottom rooms of ``hub``."""
