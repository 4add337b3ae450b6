"""Use cases: what aiops does, step by step, over the pure core."""
