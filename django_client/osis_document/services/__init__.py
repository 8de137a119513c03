"""What is done with the service: plain functions over the client, which answer plain values in the shapes of the HTTP bodies.

The fields, the gateway and the public functions are built on these. Each raises the exceptions of `osis_document.exceptions`.
"""
