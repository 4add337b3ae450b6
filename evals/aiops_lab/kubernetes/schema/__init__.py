"""What the fields of each kind are and where lists merge."""
