"""Converting files to PDF and merging them; the service's workers do it."""
