"""Counters, and the rates, forecasts and conditions derived from them. Independent of queues."""
