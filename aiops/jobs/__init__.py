"""Durable work: queues that hand jobs to workers, and loops that run beside them."""
