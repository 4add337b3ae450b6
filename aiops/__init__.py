"""aiops: from telemetry to a ranked, cited root cause."""
