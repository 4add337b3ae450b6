"""What a system is made of, as data: services, routes, limits, credentials."""
