"""The app `osis_document` under the name of the newer client package, for applications written against that."""
