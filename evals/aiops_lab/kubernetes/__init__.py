"""A Kubernetes API over objects and processes that kubectl and the Python client accept."""
