"""Telemetry of services: metrics, logs, traces and calls, kept here or in configured sources."""
