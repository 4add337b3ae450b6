"""Loaders from recorded layouts to cases; the only place besides the evaluations that knows answers."""
