"""A host's own app."""
