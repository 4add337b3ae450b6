"""What watches a lab: Prometheus, Alertmanager, and aiops itself, as the lab's own children."""
