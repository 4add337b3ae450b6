"""Suites, metrics and tables: how good the analyzers are, on data anyone can get."""
