"""Webhooks: one file a vendor reads its payload into alerts; ``authentic`` says who sent it."""
