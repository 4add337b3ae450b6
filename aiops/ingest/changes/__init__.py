"""Changes pushed to us: one parser a kind of sender, and whose service each change is."""
