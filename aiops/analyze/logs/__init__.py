"""Log lines as evidence: templates, counts, order inside a span, signatures of known troubles."""
