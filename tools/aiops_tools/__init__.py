"""Typed tools over the official clients of Kubernetes, telemetry and clouds."""
