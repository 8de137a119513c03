"""The operations that run in an engine's process: from a request in JSON to a call."""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import registry
from .options import ConvertOptions, MergeInput, MergeOptions
from .paper import PaperSize


def convert_request(
    source: Path, target: Path, *, mime_type: str, options: ConvertOptions, work: Path, program: str
) -> dict[str, Any]:
    """The request to convert one document; see `registry.Convert` for the arguments.

    `program` is the external program to use, for the converter that has one; otherwise empty.

    Raises:
        EngineError: TYPE_NOT_CONVERTIBLE.
    """
    converter = registry.find(mime_type)
    return {
        "operation": "convert",
        "converter": converter.reference,
        "folders": [str(folder) for folder in converter.folders],
        "source": str(source),
        "target": str(target),
        "mime_type": mime_type,
        "title": options.title,
        "page_ranges": options.page_ranges,
        "pdf_a": options.pdf_a,
        "work": str(work),
        "program": program,
    }


def merge_request(inputs: list[MergeInput], target: Path, *, options: MergeOptions, work: Path) -> dict[str, Any]:
    """The request to merge documents."""
    return {
        "operation": "merge",
        "inputs": [[str(item.path), item.name] for item in inputs],
        "target": str(target),
        "paper_size": options.paper_size.name if options.paper_size else "",
        "title": options.title,
        "work": str(work),
    }


def rotate_request(source: Path, target: Path, *, mime_type: str, degrees: int) -> dict[str, Any]:
    """The request to rotate a picture."""
    return {
        "operation": "rotate",
        "source": str(source),
        "target": str(target),
        "mime_type": mime_type,
        "degrees": degrees,
    }


def edit_request(source: Path, target: Path, *, rotations: Mapping[int, int]) -> dict[str, Any]:
    """The request to rotate pages of a PDF."""
    return {
        "operation": "edit",
        "source": str(source),
        "target": str(target),
        "rotations": sorted(rotations.items()),
    }


def serve_request(*, work: Path, program: str) -> dict[str, Any]:
    """The request to serve as a warm LibreOffice; see `office_server.serve` for the arguments."""
    return {"operation": "serve", "work": str(work), "program": program}


def perform(request: dict[str, Any]) -> None:
    """Does what a request asks.

    Raises:
        EngineError: as the engine that it calls.
    """
    _OPERATIONS[request["operation"]](request)


def load() -> None:
    """Imports what takes time, before anybody waits for it."""
    from . import image_rotation, pdf, pdf_edit  # noqa: F401
    from .converters import images  # noqa: F401


# The engines' modules are imported when used: the caller's process makes requests, and has no need of their libraries.
def _convert(request: dict[str, Any]) -> None:
    sys.path.extend(request["folders"])  # behind everything else: only the converter is meant
    program = {"program": request["program"]} if request["program"] else {}
    pkgutil.resolve_name(request["converter"]).convert(
        Path(request["source"]),
        Path(request["target"]),
        mime_type=request["mime_type"],
        options=ConvertOptions(title=request["title"], page_ranges=request["page_ranges"], pdf_a=request["pdf_a"]),
        work=Path(request["work"]),
        **program,
    )


def _merge(request: dict[str, Any]) -> None:
    from . import pdf

    pdf.merge(
        [MergeInput(Path(path), name) for path, name in request["inputs"]],
        Path(request["target"]),
        paper_size=PaperSize[request["paper_size"]] if request["paper_size"] else None,
        title=request["title"],
        work=Path(request["work"]),
    )


def _rotate(request: dict[str, Any]) -> None:
    from . import image_rotation

    image_rotation.rotate(
        Path(request["source"]), Path(request["target"]), mime_type=request["mime_type"], degrees=request["degrees"]
    )


def _edit(request: dict[str, Any]) -> None:
    from . import pdf_edit

    pdf_edit.edit(Path(request["source"]), Path(request["target"]), rotations=dict(request["rotations"]))


def _serve(request: dict[str, Any]) -> None:
    from . import office_server

    office_server.serve(program=request["program"], work=Path(request["work"]))


_OPERATIONS: dict[str, Callable[[dict[str, Any]], None]] = {
    "convert": _convert,
    "merge": _merge,
    "rotate": _rotate,
    "edit": _edit,
    "serve": _serve,
}
