"""Channels that bring a report to people."""
