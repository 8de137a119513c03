"""Has the kernel write a growing file out early, so that the final ``fsync`` finds little left to do.

Without it a large upload fills the page cache first and then waits for the whole disk write at its end.
"""

import ctypes

#: Write-out is started each time so many more bytes are there.
STEP_BYTES = 8 * 1024 * 1024

#: From ``linux/fs.h``: start writing dirty pages that are not being written yet; do not wait.
_SYNC_FILE_RANGE_WRITE = 2

_sync_file_range = getattr(ctypes.CDLL(None), "sync_file_range", None)  # Linux has it, others do not
if _sync_file_range is not None:
    _sync_file_range.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]


class Writeback:
    """Follows one file as it grows. A hint to the kernel: never an error."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._started = 0

    def advance(self, size_bytes: int) -> None:
        """Starts writing out whatever was added, once it is a whole step."""
        if size_bytes - self._started >= STEP_BYTES and _sync_file_range is not None:
            _sync_file_range(self._descriptor, self._started, size_bytes - self._started, _SYNC_FILE_RANGE_WRITE)
            self._started = size_bytes
