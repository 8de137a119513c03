"""Helpers of the tests: real processes, files to upload, and what refusals must look like."""
