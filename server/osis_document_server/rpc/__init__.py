"""The gRPC surface: one servicer per file, and the interceptor that guards them all."""
