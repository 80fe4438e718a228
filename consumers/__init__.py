"""Consumers included with the hub."""
