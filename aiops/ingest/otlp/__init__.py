"""OpenTelemetry's own protocol, OTLP/HTTP (specification 1.x): requests in, telemetry out. Pure."""
