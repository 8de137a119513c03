"""Office documents and plain text to PDF through a LibreOffice process started for each document."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from .errors import EngineError, Reason
from .libreoffice_profile import fresh_profile
from .options import ConvertOptions
from .registry import DOC, DOCX, ODT, TEXT

PDF_FILTER = "writer_pdf_Export"

#: The name a document gets, and the filter that must read it. With the filter given LibreOffice does not fall back to
#: reading a damaged package as plain text. Word's older formats are told apart by LibreOffice itself.
_FORMATS = {
    DOCX: ("document.docx", "MS Word 2007 XML"),
    DOC: ("document.doc", ""),
    ODT: ("document.odt", "writer8"),
    TEXT: ("document.txt", "Text (encoded):UTF8"),
}

#: The value of the PDF export's SelectPdfVersion for PDF/A-2b.
PDF_A_2 = "2"


def find(configured: str = "") -> str:
    """The absolute path of LibreOffice's program: `configured`, or `soffice` from PATH.

    Raises:
        EngineError: CONVERTER_MISSING.
    """
    program = shutil.which(configured or "soffice")
    if program is None:
        raise EngineError(
            Reason.CONVERTER_MISSING,
            f"LibreOffice is not installed where this document was processed: there is no program "
            f"'{configured or 'soffice'}'. Its operator should install the package libreoffice-writer.",
        )
    return str(Path(program).absolute())


def installation(program: str) -> Path:
    """The folder that holds LibreOffice, given its program (`…/libreoffice/program/soffice`, links followed)."""
    resolved = Path(program).resolve()
    return resolved.parent.parent if resolved.parent.name == "program" else resolved.parent


def convert(source: Path, target: Path, *, mime_type: str, options: ConvertOptions, work: Path, soffice: str) -> None:
    """Converts one document, in this process and a LibreOffice below it; both belong under a launcher.

    Args:
        source: the document; it is not changed.
        target: the PDF to write.
        mime_type: one of the types in `registry.LIBREOFFICE`.
        options: title, pages, PDF/A.
        work: an existing folder for the profile and temporary files.
        soffice: the program, as `find` gives it.

    Raises:
        EngineError: PASSWORD_REQUIRED, DOCUMENT_UNREADABLE, CONVERTER_MISSING, ENGINE_CRASHED.
    """
    name, read_filter = _FORMATS[mime_type]
    with tempfile.TemporaryDirectory(dir=work, prefix="office-") as folder:
        # LibreOffice looks at the extension, and the result is named after the source.
        document = Path(folder) / name
        check_and_place(source, document, mime_type=mime_type)
        with fresh_profile(work) as profile:
            outcome = _run(document, profile=profile, soffice=soffice, read_filter=read_filter, options=options)
        result = document.with_suffix(".pdf")
        if not result.is_file() or result.stat().st_size == 0:
            raise _failure(outcome, options)
        result.replace(target)
    if options.title:
        from .pdf_title import set_title  # pikepdf, which is not needed otherwise, takes 0.1 s to import

        set_title(target, options.title)


def document_name(mime_type: str) -> str:
    """The name that a document of this type must have for LibreOffice."""
    return _FORMATS[mime_type][0]


def check_and_place(source: Path, document: Path, *, mime_type: str) -> None:
    """Makes `document` of `source`, for LibreOffice to open: a link, or the same text in UTF-8.

    Raises:
        EngineError: PASSWORD_REQUIRED, DOCUMENT_UNREADABLE, PROCESSING_TOO_LARGE.
    """
    if mime_type == TEXT:
        from .text_files import rewrite_as_utf8

        rewrite_as_utf8(source, document)
        return
    from . import office_files

    {DOCX: office_files.check_docx, DOC: office_files.check_doc, ODT: office_files.check_odt}[mime_type](source)
    document.symlink_to(source.resolve())


def _run(
    document: Path, *, profile: Path, soffice: str, read_filter: str, options: ConvertOptions
) -> subprocess.CompletedProcess[bytes]:
    command = [
        soffice,
        f"-env:UserInstallation={profile.as_uri()}",
        *("--headless", "--invisible", "--norestore", "--nologo", "--nodefault", "--nolockcheck", "--nofirststartwizard"),
        *([f"--infilter={read_filter}"] if read_filter else []),
        *("--convert-to", ":".join(["pdf", PDF_FILTER, *filter(None, [filter_options(options)])])),
        *("--outdir", str(document.parent), str(document)),
    ]
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, cwd=document.parent, check=False)
    except OSError as exc:
        raise EngineError(
            Reason.CONVERTER_MISSING,
            f"LibreOffice could not be started ({exc}). Its operator should check the package libreoffice-writer.",
        ) from exc


def filter_options(options: ConvertOptions) -> str:
    """The PDF export's options as LibreOffice 7.4 and later take them: `{"name": {"type": …, "value": …}}`; empty if none."""
    chosen: dict[str, dict[str, str]] = {}
    if options.page_ranges:
        chosen["PageRange"] = {"type": "string", "value": options.page_ranges}
    if options.pdf_a:
        chosen["SelectPdfVersion"] = {"type": "long", "value": PDF_A_2}
    return json.dumps(chosen, separators=(",", ":")) if chosen else ""


def _failure(outcome: subprocess.CompletedProcess[bytes], options: ConvertOptions) -> EngineError:
    """Why there is no PDF: LibreOffice ends with 0 when it cannot open a document, and otherwise when it crashed."""
    said = (outcome.stdout + outcome.stderr).decode(errors="replace").strip()
    if outcome.returncode != 0:
        return EngineError(
            Reason.ENGINE_CRASHED, f"LibreOffice stopped unexpectedly (status {outcome.returncode}). {said[-500:]}".strip()
        )
    if options.page_ranges and "impl_store" in said:
        return EngineError(
            Reason.DOCUMENT_UNREADABLE,
            f"The document has none of the pages {options.page_ranges}. Ask for pages that it has.",
        )
    return EngineError(
        Reason.DOCUMENT_UNREADABLE,
        "The document cannot be read: LibreOffice could not open it, it is probably damaged. "
        "Open it in the program that made it, save it anew and upload it again.",
    )
