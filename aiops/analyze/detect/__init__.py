"""Detection, triage and localisation of anomalies in streams of metrics."""
