"""Loops that make what is there be what is wanted; each looks at one kind of thing."""
