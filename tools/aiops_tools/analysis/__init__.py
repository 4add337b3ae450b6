"""Judgements: root causes, and how objectives stand."""
