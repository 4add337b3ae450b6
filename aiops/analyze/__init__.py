"""Finding causes: pure functions of (data, parameters, seed)."""
