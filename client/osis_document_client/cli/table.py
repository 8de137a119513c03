"""Documents as a table that fits the terminal, printed as they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from itertools import islice

from rich.cells import cell_len
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from osis.document.v1.document_pb2 import Document, DocumentStatus

from .output import short_name
from .text import visible

#: So many rows are laid out at once; columns keep their widths from one lot to the next.
_LOT = 50
_ID, _SIZE, _STATUS, _UPLOADED = 36, 9, 9, 16
#: Narrower than this a path says nothing.
_LEAST_PATH = 24


@dataclass(frozen=True)
class _Columns:
    """Which columns there is room for, and how wide the last one is; the id and the path are always there."""

    size: bool
    status: bool
    uploaded: bool
    path: int


def print_table(documents: Iterable[Document], *, console: Console, statuses_differ: bool) -> None:
    """Prints documents, lot by lot, as soon as they are there.

    Args:
        documents: the documents.
        console: the terminal.
        statuses_differ: how a document stands is worth more room than when it came.
    """
    columns = _columns(console.width, statuses_differ=statuses_differ)
    iterator: Iterator[Document] = iter(documents)
    first = True
    while lot := list(islice(iterator, _LOT)):
        console.print(_table(lot, columns, header=first))
        first = False


def _columns(width: int, *, statuses_differ: bool) -> _Columns:
    """Leaves out what there is no room for, the least telling first."""
    room = width - _ID - 2
    widths = {"size": _SIZE, "uploaded": _UPLOADED, "status": _STATUS}
    taken = dict.fromkeys(widths, False)
    for name in sorted(widths, key=lambda name: name != "status" or not statuses_differ):
        if room - widths[name] - 2 >= _LEAST_PATH:
            taken[name] = True
            room -= widths[name] + 2
    return _Columns(**taken, path=max(room, 1))


def _table(documents: Iterable[Document], columns: _Columns, *, header: bool) -> Table:
    table = Table(box=None, show_header=header, pad_edge=False, padding=(0, 2, 0, 0), collapse_padding=True, header_style="bold")
    table.add_column("id", width=_ID, no_wrap=True)
    if columns.size:
        table.add_column("size", width=_SIZE, justify="right", no_wrap=True)
    if columns.uploaded:
        table.add_column("uploaded", width=_UPLOADED, no_wrap=True)
    if columns.status:
        table.add_column("status", width=_STATUS, no_wrap=True)
    table.add_column("path", width=columns.path, no_wrap=True)
    for document in documents:
        cells = [document.id]
        cells += [decimal(document.size_bytes)] if columns.size else []
        cells += [_local(document)] if columns.uploaded else []
        cells += [status_of(document)] if columns.status else []
        cells.append(shortened(visible(document.path or document.name), columns.path))
        table.add_row(*cells)
    return table


def _local(document: Document) -> str:
    """When a document was uploaded, in the time of this machine."""
    return f"{document.upload_time.ToDatetime(UTC).astimezone():%Y-%m-%d %H:%M}"


def status_of(document: Document) -> str:
    """How a document stands, in a word."""
    if document.corrupt:
        return "CORRUPT"
    return "HELD" if document.HasField("hold_expire_time") else short_name(DocumentStatus.Name(document.status))


def shortened(text: str, width: int) -> str:
    """Cuts a text to so many columns of a terminal; what is left out is left out in front, for the end of a path says most."""
    if cell_len(text) <= width:
        return text
    kept = text[-width:]
    while cell_len(kept) > width - 1:
        kept = kept[1:]
    return f"…{kept}"
