"""Kubernetes: probes that read, actions that change, and the ingestor."""
