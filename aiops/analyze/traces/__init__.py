"""Spans as evidence: trees, times, calls, errors, and what failing traces have in common."""
