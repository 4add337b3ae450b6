"""Incidents: found, read and remembered; notes, verdicts and notifications."""
