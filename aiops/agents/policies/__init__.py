"""Who decides what is asked, of whom, and when enough is known."""
