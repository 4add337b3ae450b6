"""The belt of tools: every call passes one gateway, here and nowhere else."""
