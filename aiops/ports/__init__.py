"""What the core needs from the world, as Protocols; each has an in-memory twin that ships."""
