"""A recorded incident, happening again in a service of its own."""
