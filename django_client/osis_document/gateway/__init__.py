"""The HTTP surface of the document service, for browsers and HTTP clients."""
