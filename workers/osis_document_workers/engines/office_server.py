"""The process of a warm LibreOffice: loads it once, then converts one document after the other.

It is started as the engines' other processes are, with `serve` as its operation (see `operations`). Standard input is one end
of a socket pair. Over it, in JSON, one object a line:

    here                                       there
                                               {"ready": true}                 once, when LibreOffice is loaded
    {"source": …, …, "cpu_seconds": 180}                                       see `operations.convert_request`
                                               {"cpu_seconds": 3.2}            at once and every second: it is at work
                                               {"done": true}                  the PDF is where it was asked for
                                           or  {"reason": …, "message": …}     the document's own fault
                                           or  {"refused": …}                  LibreOffice did not, and may be in any state

The process ends when the other end of the socket pair is closed.
"""

from __future__ import annotations

import json
import os
import resource
import socket
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

from . import libreoffice, pdf_title
from .errors import EngineError
from .libreoffice_profile import fresh_profile
from .office_kit import OfficeKit, OfficeKitError
from .options import ConvertOptions
from .registry import DOCX

#: How often a process that converts says that it is at work.
PULSE_SECONDS = 1.0
#: Dialogues are cancelled, macros are not run. LibreOfficeKit would lower the profile's macro security otherwise.
_LOAD_OPTIONS = "Batch=true,MacroSecurityLevel=3"
#: Whoever started this copies the PDF; it need not be on the disk.
_SAVE_OPTION = "NoFileSync"


def serve(*, program: str, work: Path) -> None:
    """Serves until the other end is closed. Belongs under a launcher.

    Args:
        program: LibreOffice's program, as `libreoffice.find` gives it.
        work: an existing folder for the profile and temporary files.

    Raises:
        OfficeKitError, OSError: LibreOffice does not start.
    """
    with socket.socket(fileno=os.dup(0)) as channel, fresh_profile(work, filters_by_name=True) as profile:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        kit = OfficeKit(Path(program).resolve().parent, profile=profile)
        _warm_up(kit, work)
        line = _Line(channel)
        line.send({"ready": True})
        with channel.makefile("r", encoding="utf-8") as requests:
            for text in requests:
                request = json.loads(text)
                with line.at_work():
                    answer = _answer(kit, request, work=work)
                line.send(answer)
        # LibreOffice's own end may take long or crash; the profile is removed with the folder around it.
        os._exit(0)


class _Line:
    """Our end of the socket pair, and the thread that says that we are at work."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._lock = threading.Lock()
        self._working = threading.Event()
        threading.Thread(target=self._pulse, daemon=True).start()

    def send(self, message: dict[str, Any]) -> None:
        with self._lock:
            self._channel.sendall(json.dumps(message).encode() + b"\n")

    def at_work(self) -> _AtWork:
        return _AtWork(self._working)

    def _pulse(self) -> None:
        while self._working.wait():
            self.send({"cpu_seconds": _cpu_seconds()})
            time.sleep(PULSE_SECONDS)


class _AtWork:
    def __init__(self, working: threading.Event) -> None:
        self._working = working

    def __enter__(self) -> None:
        self._working.set()

    def __exit__(self, *_: object) -> None:
        self._working.clear()


def _answer(kit: OfficeKit, request: dict[str, Any], *, work: Path) -> dict[str, Any]:
    _limit_cpu(request["cpu_seconds"])
    try:
        _convert(kit, request, work=work)
    except EngineError as exc:
        return {"reason": exc.reason, "message": exc.message}
    except (OfficeKitError, MemoryError, OSError) as exc:
        return {"refused": f"{type(exc).__name__}: {exc}"[:2000]}
    return {"done": True}


def _convert(kit: OfficeKit, request: dict[str, Any], *, work: Path) -> None:
    mime_type, target = request["mime_type"], Path(request["target"])
    options = ConvertOptions(title=request["title"], page_ranges=request["page_ranges"], pdf_a=request["pdf_a"])
    with tempfile.TemporaryDirectory(dir=work, prefix="office-") as folder:
        document = Path(folder) / libreoffice.document_name(mime_type)
        libreoffice.check_and_place(Path(request["source"]), document, mime_type=mime_type)
        _export(kit, document, target, options=options)
    if options.title:
        pdf_title.set_title(target, options.title)


def _export(kit: OfficeKit, document: Path, target: Path, *, options: ConvertOptions) -> None:
    with kit.load(document, options=_LOAD_OPTIONS) as opened:
        opened.save_as_pdf(target, options=",".join(filter(None, [libreoffice.filter_options(options), _SAVE_OPTION])))


def _limit_cpu(seconds: int) -> None:
    """Allows that much processor time from now on. The kernel counts from the start of the process."""
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    soft = int(_cpu_seconds()) + seconds + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


_CONTENT_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/word/document.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
_RELATIONSHIPS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/>'
    "</Relationships>"
)
_TEXT = (
    '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
    "<w:body><w:p><w:r><w:t>Warm</w:t></w:r></w:p></w:body></w:document>"
)


def _warm_up(kit: OfficeKit, work: Path) -> None:
    """Converts a small document: the first one takes 0.3 s more, which nobody is to wait for."""
    with tempfile.TemporaryDirectory(dir=work, prefix="office-") as folder:
        document = Path(folder) / libreoffice.document_name(DOCX)
        with zipfile.ZipFile(document, "w") as package:
            package.writestr("[Content_Types].xml", _CONTENT_TYPES)
            package.writestr("_rels/.rels", _RELATIONSHIPS)
            package.writestr("word/document.xml", _TEXT)
        _export(kit, document, Path(folder) / "result.pdf", options=ConvertOptions())
