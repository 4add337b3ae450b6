"""What comes in from other systems: pulled by ingestors, pushed to webhooks."""
