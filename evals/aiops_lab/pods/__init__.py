"""What runs in one pod's process: a small HTTP service that behaves as its topology says."""
