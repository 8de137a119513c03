"""Fitting the pages of a PDF to a paper size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from pypdf import PageObject, PdfWriter, Transformation
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    FloatObject,
    IndirectObject,
    NameObject,
    PdfObject,
    RectangleObject,
)

from .paper import PaperSize

#: A page that differs by less than this is left as it is, in points: paper sizes are rounded differently everywhere.
TOLERANCE_POINTS = 1.0

#: An annotation's arrays of coordinates (PDF 1.7, 12.5): x and y in turn.
_COORDINATES = ("/Rect", "/QuadPoints", "/L", "/Vertices", "/CL")

#: An explicit destination's operands (PDF 1.7, table 151): x or y, or neither.
_DESTINATIONS = {
    "/XYZ": "xy-",
    "/FitH": "y",
    "/FitBH": "y",
    "/FitV": "x",
    "/FitBV": "x",
    "/FitR": "xyxy",
}


@dataclass(frozen=True)
class Placement:
    """Where a page's content goes: first scaled, then moved, in points."""

    scale: float
    left: float
    bottom: float

    def x(self, value: float) -> float:
        return value * self.scale + self.left

    def y(self, value: float) -> float:
        return value * self.scale + self.bottom


class Fitting:
    """Fits pages: scaled up or down with their aspect, centred, on paper as the page is seen, upright or across.

    What the crop box hides stays hidden. Annotations, and destinations that name a position, move along.
    """

    def __init__(self, writer: PdfWriter, paper_size: PaperSize) -> None:
        self._writer = writer
        self._paper_size = paper_size
        #: By the object numbers of pages.
        self._placements: dict[int, Placement] = {}

    def fit(self, pages: Iterable[PageObject]) -> None:
        """Fits pages of the writer.

        Raises:
            PyPdfError, and what else a damaged page makes pypdf raise.
        """
        for page in pages:
            placement = _fit(self._writer, page, self._paper_size)
            if placement is not None and page.indirect_reference is not None:
                self._placements[page.indirect_reference.idnum] = placement

    def finish(self) -> None:
        """Moves the destinations, once all pages are there."""
        if self._placements:
            _move_destinations(self._writer, self._placements)


def _fit(writer: PdfWriter, page: PageObject, paper_size: PaperSize) -> Placement | None:
    """Fits one page; None if it has that size already."""
    crop = page.cropbox
    box = RectangleObject(
        (min(crop.left, crop.right), min(crop.bottom, crop.top), max(crop.left, crop.right), max(crop.bottom, crop.top))
    )
    width, height = float(box.width), float(box.height)
    if width <= 0 or height <= 0:
        return None
    turned = page.rotation % 180 != 0
    seen_landscape = height > width if turned else width > height
    # The page keeps its /Rotate, so the paper is laid the way the unrotated page is.
    paper_width, paper_height = paper_size.points(landscape=seen_landscape != turned)
    unit = page.user_unit
    same = abs(width * unit - paper_width) < TOLERANCE_POINTS and abs(height * unit - paper_height) < TOLERANCE_POINTS
    if same and not any((float(box.left), float(box.bottom))):
        return None
    scale = min(paper_width / width, paper_height / height)
    placement = Placement(
        scale,
        (paper_width - width * scale) / 2 - float(box.left) * scale,
        (paper_height - height * scale) / 2 - float(box.bottom) * scale,
    )
    _move_content(writer, page, box, placement)
    _move_annotations(page, placement)
    paper = RectangleObject((0, 0, paper_width, paper_height))
    for name in ("/MediaBox", "/CropBox"):
        page[NameObject(name)] = paper
    # They default to the crop box; the old ones would be wrong, and viewports and thumbnails too.
    for name in ("/TrimBox", "/BleedBox", "/ArtBox", "/UserUnit", "/VP", "/Thumb"):
        page.pop(NameObject(name), None)
    return placement


def _move_content(writer: PdfWriter, page: PageObject, box: RectangleObject, placement: Placement) -> None:
    """Draws the page's content as a form, scaled and moved.

    A form rather than a transformation before the content: patterns are laid out in the coordinates of the page or
    form that uses them, and would stay behind; and the form's box cuts off what the crop box hid.
    """
    contents = page.get_contents()
    if contents is None:
        return
    form = DecodedStreamObject()
    form.set_data(contents.get_data())
    form.update(
        {
            NameObject("/Type"): NameObject("/XObject"),
            NameObject("/Subtype"): NameObject("/Form"),
            NameObject("/BBox"): box,
            NameObject("/Resources"): page.raw_get("/Resources") if "/Resources" in page else DictionaryObject(),
        }
    )
    if "/Group" in page:
        form[NameObject("/Group")] = page.raw_get("/Group")
    reference = writer._add_object(form.flate_encode())
    drawing = DecodedStreamObject()
    matrix = Transformation((placement.scale, 0, 0, placement.scale, placement.left, placement.bottom)).ctm
    drawing.set_data(f"q {' '.join(f'{value:.6f}' for value in matrix)} cm /Page Do Q".encode())
    page[NameObject("/Contents")] = writer._add_object(drawing)
    page[NameObject("/Resources")] = DictionaryObject(
        {NameObject("/XObject"): DictionaryObject({NameObject("/Page"): reference})}
    )


def _move_annotations(page: PageObject, placement: Placement) -> None:
    annotations = page.get("/Annots")
    for reference in annotations.get_object() if annotations is not None else ():
        annotation = reference.get_object()
        for key in _COORDINATES:
            if key in annotation:
                annotation[NameObject(key)] = _moved_points(annotation[key], placement)
        if "/InkList" in annotation:
            strokes = annotation["/InkList"]
            annotation[NameObject("/InkList")] = ArrayObject(_moved_points(stroke.get_object(), placement) for stroke in strokes)


def _moved_points(values: PdfObject, placement: Placement) -> ArrayObject:
    numbers = cast("ArrayObject", values.get_object())
    return ArrayObject(
        FloatObject(placement.y(float(number)) if index % 2 else placement.x(float(number)))
        for index, number in enumerate(numbers)
    )


def _move_destinations(writer: PdfWriter, placements: dict[int, Placement]) -> None:
    """Moves every explicit destination: those of links, bookmarks and names are arrays that begin with a page."""
    seen: set[int] = set()
    waiting: list[PdfObject | None] = list(writer._objects)
    while waiting:
        value = waiting.pop()
        if isinstance(value, DictionaryObject):
            waiting += [item for item in value.values() if isinstance(item, (DictionaryObject, ArrayObject))]
        elif isinstance(value, ArrayObject) and id(value) not in seen:
            seen.add(id(value))
            waiting += [item for item in value if isinstance(item, (DictionaryObject, ArrayObject))]
            if len(value) > 2 and isinstance(value[0], IndirectObject) and value[0].idnum in placements:
                _move_destination(value, placements[value[0].idnum])


def _move_destination(destination: ArrayObject, placement: Placement) -> None:
    kind = str(destination[1])
    for index, axis in enumerate(_DESTINATIONS.get(kind, ""), start=2):
        if index < len(destination) and isinstance(destination[index], (int, float)):
            number = float(destination[index])
            if axis == "x":
                destination[index] = FloatObject(placement.x(number))
            elif axis == "y":
                destination[index] = FloatObject(placement.y(number))
