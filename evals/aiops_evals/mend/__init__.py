"""How long it takes from a fault in the lab to a system that is mended, step by step."""
