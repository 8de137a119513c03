"""The methods of `Client`, each a function whose first argument is the client."""
