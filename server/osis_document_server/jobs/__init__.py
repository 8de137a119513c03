"""How work reaches the workers."""
