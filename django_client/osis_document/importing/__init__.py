"""Bringing the documents of the existing product over: its tables and its media folder are read, and never changed."""
