"""Orders planted where an investigation reads, and what becomes of them (issue 7)."""
