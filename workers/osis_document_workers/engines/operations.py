"""The operations that run in an engine's process: from a request in JSON to a call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import registry
from .options import ConvertOptions, MergeInput, MergeOptions
from .paper import PaperSize


def convert_request(
    source: Path, target: Path, *, mime_type: str, options: ConvertOptions, work: Path, program: str
) -> dict[str, Any]:
    """The request to convert one document; see `registry.Convert` for the arguments."""
    return {
        "operation": "convert",
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


def perform(request: dict[str, Any]) -> None:
    """Does what a request asks.

    Raises:
        EngineError: as the engine that it calls.
    """
    target, work = Path(request["target"]), Path(request["work"])
    if request["operation"] == "convert":
        registry.find(request["mime_type"]).convert(
            Path(request["source"]),
            target,
            mime_type=request["mime_type"],
            options=ConvertOptions(title=request["title"], page_ranges=request["page_ranges"], pdf_a=request["pdf_a"]),
            work=work,
            program=request["program"],
        )
    else:
        from . import pdf

        pdf.merge(
            [MergeInput(Path(path), name) for path, name in request["inputs"]],
            target,
            paper_size=PaperSize[request["paper_size"]] if request["paper_size"] else None,
            title=request["title"],
            work=work,
        )
