"""The document service: gRPC in front, a database and a blob storage behind."""
