"""Engines: documents in, a document out.

    convert(source, target, mime_type=…)           an office document, a text or a picture becomes a PDF
    merge(inputs, target)                          PDFs become one PDF
    rotate(source, target, mime_type=…, degrees=…) a picture is rotated, without loss
    edit(source, target, rotations=…)              pages of a PDF are rotated

All are functions of paths and options and know nothing of queues or servers. What reads a user's bytes runs in a
process of its own with limited memory and time, without network where the host permits, and is gone when they return.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from . import libreoffice, operations, registry
from .engine_process import EngineProcess, SpareProcess, new_process
from .errors import EngineCancelledError, EngineError, Reason
from .launcher import would_be_root
from .limits import Limits
from .office_pool import OfficePool
from .options import ConvertOptions, MergeInput, MergeOptions
from .paper import PaperSize

__all__ = [
    "CONVERTIBLE_MIME_TYPES",
    "ConvertOptions",
    "EngineCancelledError",
    "EngineError",
    "Limits",
    "MergeInput",
    "MergeOptions",
    "OfficePool",
    "PaperSize",
    "Reason",
    "SpareProcess",
    "convert",
    "edit",
    "merge",
    "rotate",
    "would_be_root",
]

#: What `convert` takes without any converter being installed beside those that come with the workers.
CONVERTIBLE_MIME_TYPES = frozenset(registry.CONVERTERS)

_CONVERT_OPTIONS = ConvertOptions()
_MERGE_OPTIONS = MergeOptions()
_LIMITS = Limits()
#: What a document that a warm LibreOffice gave up on is left with at least, if its time is nearly over.
_LEAST_SECONDS = 10.0


def convert(
    source: Path,
    target: Path,
    *,
    mime_type: str,
    options: ConvertOptions = _CONVERT_OPTIONS,
    limits: Limits = _LIMITS,
    scratch: Path,
    spare: SpareProcess | None = None,
    cancelled: threading.Event | None = None,
    soffice: str = "",
    office: OfficePool | None = None,
) -> None:
    """Converts one document to PDF.

    Args:
        source: the document; it is only read.
        target: where the PDF appears, whole or not at all; its folder must exist.
        mime_type: the document's type, one of `CONVERTIBLE_MIME_TYPES`.
        options: title, pages, PDF/A.
        limits: what the conversion may use.
        scratch: an existing folder for temporary files, left as it was.
        spare: a process that is ready, for what needs no further program; by default one is started.
        cancelled: set it to end the conversion.
        soffice: LibreOffice's program; empty looks for `soffice` in PATH.
        office: warm instances to convert office documents with. What they do not convert, and everything if there are none,
            is converted by a LibreOffice that is started for it.

    Raises:
        EngineError: any reason but MERGE_INPUT_NOT_PDF.
        EngineCancelledError: `cancelled` was set; there is no target.
    """
    converter = registry.find(mime_type)
    if office is not None and converter is registry.LIBREOFFICE:
        started = time.monotonic()
        if office.convert(source, target, mime_type=mime_type, options=options, limits=limits, cancelled=cancelled):
            return
        seconds_left = limits.wall_seconds - (time.monotonic() - started)
        limits = replace(limits, wall_seconds=max(seconds_left, _LEAST_SECONDS))
    program = libreoffice.find(soffice) if converter is registry.LIBREOFFICE else ""
    read_only = [*converter.folders, *([libreoffice.installation(program)] if program else [])]
    # What an engine may read is settled when its process starts.
    with _process(scratch, None if read_only else spare, limits=limits) as process:
        space = process.space
        [copy] = space.add([source])
        request = operations.convert_request(
            copy, space.result, mime_type=mime_type, options=options, work=space.work, program=program
        )
        process.perform(request, cancelled=cancelled, read_only=read_only)
        space.publish(target)


def merge(
    inputs: Sequence[MergeInput],
    target: Path,
    *,
    options: MergeOptions = _MERGE_OPTIONS,
    limits: Limits = _LIMITS,
    scratch: Path,
    spare: SpareProcess | None = None,
    cancelled: threading.Event | None = None,
) -> None:
    """Merges PDFs into one, in the order given; the same document may appear several times.

    Args:
        inputs: at least one PDF, each with the name for its bookmark and for errors about it.
        target, limits, scratch, spare, cancelled: as for `convert`.
        options: paper size, title.

    Raises:
        EngineError: MERGE_INPUT_NOT_PDF, PASSWORD_REQUIRED or DOCUMENT_UNREADABLE, naming the input; PROCESSING_TIMED_OUT,
            PROCESSING_TOO_LARGE, ENGINE_CRASHED.
        EngineCancelledError: `cancelled` was set; there is no target.
        ValueError: `inputs` is empty.
    """
    if not inputs:
        raise ValueError("nothing to merge")
    with _process(scratch, spare, limits=limits) as process:
        space = process.space
        copies = space.add([item.path for item in inputs])
        named = [MergeInput(copy, item.name) for copy, item in zip(copies, inputs, strict=True)]
        request = operations.merge_request(named, space.result, options=options, work=space.work)
        try:
            process.perform(request, cancelled=cancelled)
        except EngineError as exc:
            if exc.source in copies:  # the caller knows its own files, not the copies
                exc.source = inputs[copies.index(exc.source)].path
            raise
        space.publish(target)


def rotate(
    source: Path,
    target: Path,
    *,
    mime_type: str,
    degrees: int,
    limits: Limits = _LIMITS,
    scratch: Path,
    spare: SpareProcess | None = None,
    cancelled: threading.Event | None = None,
) -> None:
    """Rotates a picture clockwise, as it is shown. The result is of the same type, and nothing of it is lost.

    Args:
        mime_type: the picture's type, image/jpeg or image/png.
        degrees: 90, 180 or 270.
        source, target, limits, scratch, spare, cancelled: as for `convert`.

    Raises:
        EngineError: NOT_AN_IMAGE (or none that can be rotated), DOCUMENT_UNREADABLE, PROCESSING_TIMED_OUT,
            PROCESSING_TOO_LARGE, ENGINE_CRASHED.
        EngineCancelledError: `cancelled` was set; there is no target.
        ValueError: `degrees` is something else.
    """
    if degrees not in {90, 180, 270}:
        raise ValueError(f"pictures are rotated by 90, 180 or 270 degrees, not by {degrees}")
    with _process(scratch, spare, limits=limits) as process:
        space = process.space
        [copy] = space.add([source])
        request = operations.rotate_request(copy, space.result, mime_type=mime_type, degrees=degrees)
        process.perform(request, cancelled=cancelled)
        space.publish(target)


def edit(
    source: Path,
    target: Path,
    *,
    rotations: Mapping[int, int],
    limits: Limits = _LIMITS,
    scratch: Path,
    spare: SpareProcess | None = None,
    cancelled: threading.Event | None = None,
) -> None:
    """Rotates pages of a PDF; all else in it is kept. Without rotations, the checked file is passed through.

    Args:
        rotations: degrees clockwise, multiples of 90, by page, counted from 0; relative to how the page is shown.
        source, target, limits, scratch, spare, cancelled: as for `convert`.

    Raises:
        EngineError: DOCUMENT_UNREADABLE (no PDF, damaged, or it has no such page), PASSWORD_REQUIRED, PROCESSING_TIMED_OUT,
            PROCESSING_TOO_LARGE, ENGINE_CRASHED.
        EngineCancelledError: `cancelled` was set; there is no target.
        ValueError: a rotation is no multiple of 90.
    """
    if wrong := [degrees for degrees in rotations.values() if degrees % 90]:
        raise ValueError(f"pages are rotated by multiples of 90 degrees, not by {wrong[0]}")
    with _process(scratch, spare, limits=limits) as process:
        space = process.space
        [copy] = space.add([source])
        request = operations.edit_request(copy, space.result, rotations=rotations)
        process.perform(request, cancelled=cancelled)
        space.publish(target)


def _process(scratch: Path, spare: SpareProcess | None, *, limits: Limits) -> AbstractContextManager[EngineProcess]:
    """The process that is ready, or a new one."""
    return new_process(scratch, limits=limits) if spare is None else spare.process(limits=limits)
