"""Clouds: what runs in an account, what it measures, who changed it; and few changes to it."""
