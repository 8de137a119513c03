"""The actions of a post-processing job."""

from __future__ import annotations

from osis.document.v1.post_processing_pb2 import Action, ConvertAction, MergeAction, PaperSize, PdfProfile

_PAPER_PREFIX = "PAPER_SIZE_"


def convert(
    output_filename: str = "",
    *,
    pdf_profile: PdfProfile.ValueType = PdfProfile.PDF_PROFILE_UNSPECIFIED,
    page_range: str = "",
    title: str = "",
) -> Action:
    """Makes the action that turns each input into a PDF.

    Args:
        output_filename: name of the outputs, with or without `.pdf`; numbered where there are several. Empty: the inputs' own.
        pdf_profile: the kind of PDF to write; a plain one if unspecified.
        page_range: the pages to keep, counted from 1 (`1-3,5`). Empty: all.
        title: the title in the PDF's own metadata. Empty: the source's.
    """
    return Action(
        convert=ConvertAction(output_filename=output_filename, pdf_profile=pdf_profile, page_range=page_range, title=title)
    )


def merge(
    output_filename: str = "",
    *,
    paper_size: str | PaperSize.ValueType = PaperSize.PAPER_SIZE_UNSPECIFIED,
    title: str = "",
) -> Action:
    """Makes the action that joins all inputs, which must be PDFs, to one.

    Args:
        output_filename: name of the output, with or without `.pdf`. Empty: `merged.pdf`.
        paper_size: the size that every page is fitted to, as the contract's value or its short name (`"A4"`, `"Letter"`).
            Unspecified or empty: pages keep their own sizes.
        title: the title in the PDF's own metadata. Empty: none.

    Raises:
        ValueError: there is no such paper size; the message lists those there are.
    """
    if isinstance(paper_size, str):
        paper_size = _paper_size(paper_size)
    return Action(merge=MergeAction(output_filename=output_filename, paper_size=paper_size, title=title))


def paper_size_names() -> list[str]:
    """Lists the short names of the paper sizes: `A0` … `A8`, `C4`, `LETTER`, `LEGAL`."""
    return [name.removeprefix(_PAPER_PREFIX) for name, number in PaperSize.items() if number]


def _paper_size(name: str) -> PaperSize.ValueType:
    if not name:
        return PaperSize.PAPER_SIZE_UNSPECIFIED
    if name.upper() not in paper_size_names():
        raise ValueError(f"there is no paper size {name!r}; choose one of {', '.join(paper_size_names())}")
    return PaperSize.Value(_PAPER_PREFIX + name.upper())
