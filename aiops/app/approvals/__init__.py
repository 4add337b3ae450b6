"""Use cases of approvals: asked for by the gateway, decided here and nowhere else."""
