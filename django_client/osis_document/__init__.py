"""Documents of the osis-document service in a Django project."""
