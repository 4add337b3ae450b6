"""The faces of a report: JSON, Markdown, one HTML file, the terminal."""
