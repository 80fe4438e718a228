"""Consumers that come with the hub."""
