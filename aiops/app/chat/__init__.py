"""Conversations about incidents: what is asked, what is known, and an answer that cites it."""
