"""Which converter takes which type.

There is no list of them. Those that come with the workers are the modules of `converters`; those of other distributions are found
by the entry points with which these are installed.
"""

from __future__ import annotations

import functools
import importlib
import logging
import pkgutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from . import converters
from .errors import EngineError, Reason
from .mime_types import DOC as DOC
from .mime_types import DOCX as DOCX
from .mime_types import JPEG as JPEG
from .mime_types import ODT as ODT
from .mime_types import PDF as PDF
from .mime_types import PNG as PNG
from .mime_types import TEXT as TEXT
from .options import ConvertOptions

logger = logging.getLogger(__name__)

#: The entry points of other distributions: each names a module like those of `converters`, or an object with the same names.
ENTRY_POINTS = "osis_document.converters"


class Convert(Protocol):
    """Converts `source` to the PDF `target`, in this process, which is an engine's.

    `mime_type` is one of the converter's types, `options` what is asked for, `work` a folder for temporary files.

    Raises:
        EngineError: DOCUMENT_UNREADABLE or another reason; TYPE_NOT_CONVERTIBLE for options that it cannot fulfil.
    """

    def __call__(self, source: Path, target: Path, *, mime_type: str, options: ConvertOptions, work: Path) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Converter:
    """One way to make PDFs.

    Attributes:
        name: of the module, or of the entry point.
        mime_types: what it takes.
        reference: where it is, `package.module` or `package.module:object`.
        folders: from where that is imported, if it does not come with the workers.
    """

    name: str
    mime_types: frozenset[str]
    reference: str
    folders: tuple[Path, ...] = ()


def _built_in() -> dict[str, Converter]:
    """Those that come with the workers, by name."""
    found = {}
    for module in pkgutil.iter_modules(converters.__path__):
        reference = f"{converters.__name__}.{module.name}"
        found[module.name] = _converter(module.name, reference, importlib.import_module(reference))
    return found


def _converter(name: str, reference: str, found: Any, *, folders: tuple[Path, ...] = ()) -> Converter:
    """Reads a converter's own account of itself.

    Raises:
        TypeError: it is none.
    """
    types = getattr(found, "MIME_TYPES", None)
    if isinstance(types, str) or not types or not all(isinstance(each, str) for each in types):
        raise TypeError(f"{reference} has no MIME_TYPES")
    if not callable(getattr(found, "convert", None)):
        raise TypeError(f"{reference} has no function convert")
    return Converter(name=name, mime_types=frozenset(types), reference=reference, folders=folders)


def _folder_of(module: str) -> Path:
    """The folder below which the file of an imported module has the place that its name says."""
    file = Path(str(sys.modules[module].__file__)).resolve()
    return file.parents[module.count(".") + (file.name == "__init__.py")]


_BUILT_IN = _built_in()

#: The one that needs a program, which the caller looks for.
LIBREOFFICE = _BUILT_IN["libreoffice"]

#: Those that come with the workers, by type.
CONVERTERS: dict[str, Converter] = {
    mime_type: converter for converter in _BUILT_IN.values() for mime_type in sorted(converter.mime_types)
}


@functools.cache
def installed() -> dict[str, Converter]:
    """Those of other distributions, by type; looked for once. One that cannot be used is told in the log, and left out."""
    from importlib.metadata import entry_points  # takes a while, and an engine's process has no need of it

    found: dict[str, Converter] = {}
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        try:
            converter = _converter(point.name, point.value, point.load(), folders=(_folder_of(point.module),))
        except Exception:  # it is not ours: the worker does without
            logger.exception("the converter %s (%s) cannot be used", point.name, point.value)
            continue
        logger.info("the converter %s (%s) takes %s", point.name, point.value, ", ".join(sorted(converter.mime_types)))
        for mime_type in sorted(converter.mime_types):
            other = found.setdefault(mime_type, converter)
            if other is not converter:
                logger.warning("%s is converted by %s, not by %s: both are installed", mime_type, other.name, converter.name)
    return found


def find(mime_type: str) -> Converter:
    """The converter for a MIME type. One that was installed goes before one that comes with the workers.

    Raises:
        EngineError: TYPE_NOT_CONVERTIBLE, naming the supported types.
    """
    converter = installed().get(mime_type) or CONVERTERS.get(mime_type)
    if converter is None:
        supported = ", ".join(sorted({*CONVERTERS, *installed()}))
        raise EngineError(
            Reason.TYPE_NOT_CONVERTIBLE,
            f"Files of type {mime_type or 'unknown'} cannot be converted to PDF. Supported types: {supported}.",
        )
    return converter
