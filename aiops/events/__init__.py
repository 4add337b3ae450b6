"""Buses that carry events to whoever watches."""
