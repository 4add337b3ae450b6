"""Kubernetes state as evidence: parsing, rules over general semantics, hypotheses."""
