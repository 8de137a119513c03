"""The codes that answers carry beside their HTTP status."""

#: A post-processing whose result was asked for has failed.
ASYNC_POST_PROCESS_FAILED = "ASYNC_POST_PROCESS_FAILED"
