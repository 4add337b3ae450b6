"""Users: sessions of requests at an open-loop rate, and what they see."""
