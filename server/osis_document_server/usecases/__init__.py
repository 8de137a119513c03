"""What the service does, one module per thing a caller can ask for."""
