"""Simulation of how messages are divided among workers on several machines."""
