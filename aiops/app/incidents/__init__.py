"""Incidents from their alerts: triage, what people do to them, dispatch, previews, postmortems."""
