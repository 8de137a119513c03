"""A project that uses the app, as a host does."""
