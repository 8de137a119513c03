"""Checksums of every block of a blob, so that damage is found before a damaged byte leaves."""

import struct

import google_crc32c

#: Length of a block in bytes. The last one of a blob may be shorter.
BLOCK_SIZE = 1024 * 1024


class BlockChecksums:
    """Computes the CRC32C (Castagnoli, RFC 3720) of each block of bytes that pass by."""

    def __init__(self) -> None:
        self._finished: list[int] = []
        self._current = 0
        self._filled = 0

    def update(self, data: bytes) -> None:
        """Takes the next bytes, of any length."""
        if self._filled == 0 and len(data) == BLOCK_SIZE:  # the usual case: messages that are blocks
            self._finished.append(google_crc32c.value(data))
            return
        view = memoryview(data)
        while view:
            part = bytes(view[: BLOCK_SIZE - self._filled])
            self._current = google_crc32c.extend(self._current, part)
            self._filled += len(part)
            view = view[len(part) :]
            if self._filled == BLOCK_SIZE:
                self._finished.append(self._current)
                self._current = self._filled = 0

    def packed(self) -> bytes:
        """Returns the checksums of all blocks so far: four bytes each, little-endian, in order."""
        checksums = [*self._finished, self._current] if self._filled else self._finished
        return struct.pack(f"<{len(checksums)}I", *checksums)


def unpack(packed: bytes) -> tuple[int, ...]:
    """Returns the checksums that ``BlockChecksums.packed`` wrote."""
    return struct.unpack(f"<{len(packed) // 4}I", packed)


def checksum(data: bytes) -> int:
    """Returns the CRC32C of ``data``."""
    return int(google_crc32c.value(data))
