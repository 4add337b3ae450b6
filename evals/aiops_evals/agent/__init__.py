"""Whole investigations, judged: by tool calls alone, and beside the analyzers alone."""
