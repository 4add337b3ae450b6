"""Loaders from recorded layouts to cases; besides the evaluations nothing else knows answers."""
