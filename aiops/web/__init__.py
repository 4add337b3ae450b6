"""The service over HTTP: webhooks, the API, events, pages, and what operators look at."""
