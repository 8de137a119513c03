"""LibreOfficeKit: LibreOffice as a library, in this process, by the five functions of its C interface that are needed.

The layout is that of include/LibreOfficeKit/LibreOfficeKit.h: an object is a pointer to a structure whose first member points
to a table of functions, and the table begins with its own size. Functions were only ever added at the end, so what is declared
here is the beginning of each table, which has not changed since LibreOffice 5.2.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from types import TracebackType
from typing import Self

#: Builds that link everything into one library, and the others.
LIBRARIES = ("libmergedlo.so", "libsofficeapp.so")
_HOOK = "libreofficekit_hook_2"


class OfficeKitError(Exception):
    """LibreOffice refused something. The message is its own, for the log."""


class _Kit(ctypes.Structure):
    pass


class _Document(ctypes.Structure):
    pass


_KitPointer = ctypes.POINTER(_Kit)
_DocumentPointer = ctypes.POINTER(_Document)


class _KitFunctions(ctypes.Structure):
    _fields_ = (
        ("nSize", ctypes.c_size_t),
        ("destroy", ctypes.CFUNCTYPE(None, _KitPointer)),
        ("documentLoad", ctypes.CFUNCTYPE(_DocumentPointer, _KitPointer, ctypes.c_char_p)),
        # The text is the caller's to free, which takes its address.
        ("getError", ctypes.CFUNCTYPE(ctypes.c_void_p, _KitPointer)),
        ("documentLoadWithOptions", ctypes.CFUNCTYPE(_DocumentPointer, _KitPointer, ctypes.c_char_p, ctypes.c_char_p)),
        ("freeError", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
    )


class _DocumentFunctions(ctypes.Structure):
    _fields_ = (
        ("nSize", ctypes.c_size_t),
        ("destroy", ctypes.CFUNCTYPE(None, _DocumentPointer)),
        ("saveAs", ctypes.CFUNCTYPE(ctypes.c_int, _DocumentPointer, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p)),
    )


_Kit._fields_ = (("functions", ctypes.POINTER(_KitFunctions)),)
_Document._fields_ = (("functions", ctypes.POINTER(_DocumentFunctions)),)


def library(program_folder: Path) -> Path | None:
    """The library in LibreOffice's folder `program`; None if this installation has none."""
    return next((path for name in LIBRARIES if (path := program_folder / name).is_file()), None)


class OfficeKit:
    """LibreOffice, loaded into this process for the rest of its life: it cannot be unloaded, nor loaded twice.

    Args:
        program_folder: LibreOffice's folder `program`.
        profile: the user profile's folder.

    Raises:
        OfficeKitError: LibreOffice does not start.
        OSError: there is no library, or it cannot be loaded.
    """

    def __init__(self, program_folder: Path, *, profile: Path) -> None:
        path = library(program_folder)
        if path is None:
            raise FileNotFoundError(f"there is none of {', '.join(LIBRARIES)} in {program_folder}")
        hook = ctypes.CDLL(str(path))[_HOOK]
        hook.argtypes = (ctypes.c_char_p, ctypes.c_char_p)
        hook.restype = _KitPointer
        self._kit = hook(str(program_folder).encode(), profile.as_uri().encode())
        if not self._kit:
            raise OfficeKitError("LibreOffice does not start")
        self._functions = self._kit.contents.functions.contents
        if self._functions.nSize < ctypes.sizeof(_KitFunctions):
            raise OfficeKitError(f"LibreOffice is too old: its table of functions has {self._functions.nSize} bytes")

    def load(self, path: Path, *, options: str) -> OfficeDocument:
        """Opens a document.

        Args:
            path: its absolute path.
            options: what LibreOfficeKit takes, `name=value` separated by commas; other words are the import filter's.

        Raises:
            OfficeKitError: it cannot be opened.
        """
        document = self._functions.documentLoadWithOptions(self._kit, path.as_uri().encode(), options.encode())
        if not document:
            raise OfficeKitError(f"cannot load: {self.error()}")
        return OfficeDocument(self, document)

    def error(self) -> str:
        """What LibreOffice said last."""
        address = self._functions.getError(self._kit)
        if not address:
            return ""
        try:
            return ctypes.string_at(address).decode(errors="replace")
        finally:
            self._functions.freeError(address)


class OfficeDocument:
    """An open document; closed when it is left."""

    def __init__(self, kit: OfficeKit, document: ctypes._Pointer[_Document]) -> None:
        self._kit = kit
        self._document = document
        self._functions = document.contents.functions.contents

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None) -> None:
        self._functions.destroy(self._document)

    def save_as_pdf(self, path: Path, *, options: str) -> None:
        """Writes a PDF.

        Args:
            path: where, an absolute path; what is there is overwritten.
            options: the export filter's, as JSON, and words that LibreOfficeKit takes, separated by commas.

        Raises:
            OfficeKitError: it cannot be written.
        """
        if not self._functions.saveAs(self._document, path.as_uri().encode(), b"pdf", options.encode()):
            raise OfficeKitError(f"cannot save: {self._kit.error()}")
