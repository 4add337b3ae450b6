"""The live sock shop: a small real system to break."""
