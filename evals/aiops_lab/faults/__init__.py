"""Faults of a lab: what is broken, from when to when, and how it is put right again."""
