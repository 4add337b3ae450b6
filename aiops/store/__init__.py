"""Adapters that keep or number things, and their in-memory twins."""
