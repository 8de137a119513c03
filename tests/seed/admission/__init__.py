"""An existing application's app, as the seed writes it."""
