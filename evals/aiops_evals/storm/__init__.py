"""The alert storm: a fixed load on a real service, and whether anything of it was lost."""
