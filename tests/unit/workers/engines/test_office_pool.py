from __future__ import annotations

import contextlib
import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docx
import psutil
import pytest
import reportlab
from pypdf import PdfReader

from osis_document_workers import engines
from osis_document_workers.engines import ConvertOptions, EngineError, Limits, OfficePool, Reason, launcher, registry
from osis_document_workers.engines.office_channel import Patience
from tests.support.waiting import wait_until

from .conftest import ole_bytes, zip_bytes
from .processes import new_processes

pytestmark = [pytest.mark.slow, pytest.mark.needs_libreoffice, pytest.mark.usefixtures("soffice")]

Start = Callable[..., OfficePool]

LONG_PAGES = 300


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "target.pdf"


@pytest.fixture
def start(scratch: Path) -> Iterator[Start]:
    """Makes pools, and checks that they leave nothing."""
    pools: list[OfficePool] = []

    def make(*, slots: int = 1, **options: object) -> OfficePool:
        pools.append(OfficePool(slots=slots, scratch=scratch, **options))  # type: ignore[arg-type]
        return pools[-1]

    yield make
    for pool in pools:
        pool.stop()
    assert list(scratch.iterdir()) == []
    assert new_processes() == []


@pytest.fixture(scope="session")
def long_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """So many pages that they take more than a second of any processor."""
    document = docx.Document()
    for page in range(LONG_PAGES):
        for _ in range(12):
            document.add_paragraph(f"Page {page}: a document is uploaded, confirmed, converted and handed out. " * 4)
        document.add_page_break()
    path = tmp_path_factory.mktemp("long") / "long.docx"
    document.save(str(path))
    return path


def warm(
    pool: OfficePool,
    source: Path,
    target: Path,
    *,
    mime_type: str = registry.DOCX,
    options: ConvertOptions | None = None,
    limits: Limits | None = None,
    cancelled: threading.Event | None = None,
) -> bool:
    """Converts by the pool alone; False if it did not."""
    return pool.convert(
        source,
        target,
        mime_type=mime_type,
        options=options or ConvertOptions(),
        limits=limits or Limits(),
        cancelled=cancelled,
    )


def text_of(path: Path) -> list[str]:
    return [page.extract_text() for page in PdfReader(path).pages]


def last_page_of(path: Path) -> str:
    return PdfReader(path).pages[-1].extract_text()


def offices() -> list[psutil.Process]:
    """The processes that have LibreOffice loaded, or are about to."""
    found = []
    for process in new_processes():
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.cmdline()[0] == sys.executable and str(launcher.ENGINES / "child.py") in process.cmdline()[:5]:
                found.append(process)
    return found


def at_work(scratch: Path) -> int:
    """How many instances have a document open; one that warms up has none of ours."""
    folders = [folder for folder in scratch.glob("*/work/office-*") if (folder.parents[1] / "inputs" / "0").exists()]
    return len(folders)


def failure_of(pool: OfficePool, source: Path, target: Path, scratch: Path, **options: object) -> EngineError:
    with pytest.raises(EngineError) as failure:
        engines.convert(source, target, scratch=scratch, office=pool, **options)  # type: ignore[arg-type]
    assert not target.exists()
    return failure.value


def fonts_of(path: Path) -> set[str]:
    """The fonts of the first page."""
    fonts = PdfReader(path).pages[0]["/Resources"]["/Font"]
    return {font.get_object()["/BaseFont"].partition("+")[2] for font in fonts.values()}


def odt_in_a_font(name: str, font: bytes) -> bytes:
    """A document of one line in a font, which it brings along unless that is empty."""
    xmlns = "urn:oasis:names:tc:opendocument:xmlns"
    entries = {"/": registry.ODT, "content.xml": "text/xml"} | ({"Fonts/own.ttf": "application/x-font-ttf"} if font else {})
    files = "".join(f'<m:file-entry m:full-path="{path}" m:media-type="{kind}"/>' for path, kind in entries.items())
    source = (
        '<svg:font-face-src><svg:font-face-uri xlink:href="Fonts/own.ttf" xlink:type="simple">'
        '<svg:font-face-format svg:string="truetype"/></svg:font-face-uri></svg:font-face-src>'
    )
    content = (
        f'<office:document-content xmlns:office="{xmlns}:office:1.0" xmlns:text="{xmlns}:text:1.0" '
        f'xmlns:style="{xmlns}:style:1.0" xmlns:svg="{xmlns}:svg-compatible:1.0" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'office:version="1.2"><office:font-face-decls><style:font-face style:name="{name}" svg:font-family="{name}">'
        f"{source if font else ''}</style:font-face></office:font-face-decls><office:automatic-styles>"
        f'<style:style style:name="P1" style:family="paragraph"><style:text-properties style:font-name="{name}"/></style:style>'
        '</office:automatic-styles><office:body><office:text><text:p text:style-name="P1">One line</text:p></office:text>'
        "</office:body></office:document-content>"
    )
    members = {
        "mimetype": registry.ODT.encode(),
        "META-INF/manifest.xml": f'<m:manifest xmlns:m="{xmlns}:manifest:1.0" m:version="1.2">{files}</m:manifest>'.encode(),
        "content.xml": content.encode(),
    }
    return zip_bytes(members | ({"Fonts/own.ttf": font} if font else {}))


def test_every_type_has_the_text_that_the_cold_way_gives(
    isolation: str, start: Start, office_file: Callable[[str], Path], docx_file: Path, tmp_path: Path, scratch: Path, target: Path
) -> None:
    text = tmp_path / "note"
    text.write_bytes("Élève “Noël” – 5 €\r\n<b>second</b>\rthird\n".encode("cp1252"))
    pool = start()
    for source, mime_type in [
        (docx_file, registry.DOCX),
        (office_file("doc"), registry.DOC),
        (office_file("odt"), registry.ODT),
        (text, registry.TEXT),
    ]:
        assert warm(pool, source, target, mime_type=mime_type)
        converted = text_of(target)
        engines.convert(source, target, mime_type=mime_type, scratch=scratch)
        assert converted == text_of(target)
    assert len(offices()) == 1


def test_title_pages_and_pdf_a_are_as_asked(start: Start, docx_file: Path, target: Path) -> None:
    pool = start()
    assert warm(pool, docx_file, target, options=ConvertOptions(title="Lettre d’été", page_ranges="2", pdf_a=True))
    reader = PdfReader(target)
    assert [page.extract_text().strip() for page in reader.pages] == ["On the second page"]
    assert reader.metadata.title == "Lettre d’été"
    assert reader.xmp_metadata.pdfaid_part == "2"
    assert warm(pool, docx_file, target)
    reader = PdfReader(target)
    assert len(reader.pages) == 2
    assert reader.metadata.title == "Its own title"
    assert reader.xmp_metadata is None


def test_pages_that_do_not_exist_are_told(start: Start, docx_file: Path, scratch: Path, target: Path) -> None:
    options = ConvertOptions(page_ranges="7-9")
    failure = failure_of(start(), docx_file, target, scratch, mime_type=registry.DOCX, options=options)
    assert "none of the pages 7-9" in failure.message


def test_a_password_is_told_and_the_instance_goes_on(
    start: Start, docx_file: Path, tmp_path: Path, scratch: Path, target: Path
) -> None:
    source = tmp_path / "protected"
    source.write_bytes(ole_bytes({"EncryptionInfo": b"", "EncryptedPackage": b""}))
    pool = start()
    assert warm(pool, docx_file, target)
    target.unlink()
    before = offices()
    failure = failure_of(pool, source, target, scratch, mime_type=registry.DOCX)
    assert failure.reason == Reason.PASSWORD_REQUIRED
    assert warm(pool, docx_file, target)
    assert offices() == before


@pytest.mark.parametrize(
    ("content", "mime_type"),
    [
        (zip_bytes({"[Content_Types].xml": b"plain text", "word/document.xml": b"plain text"}), registry.DOCX),
        (zip_bytes({"content.xml": b"plain text"}), registry.ODT),
        (ole_bytes({"WordDocument": b"plain text"}), registry.DOC),
        (b"plain text", registry.DOCX),
    ],
    ids=["docx", "odt", "doc", "no package"],
)
def test_a_damaged_document_is_told_and_not_read_as_plain_text(
    content: bytes, mime_type: str, start: Start, tmp_path: Path, scratch: Path, target: Path
) -> None:
    source = tmp_path / "damaged"
    source.write_bytes(content)
    assert failure_of(start(), source, target, scratch, mime_type=mime_type).reason == Reason.DOCUMENT_UNREADABLE


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_an_instance_that_is_gone_or_silent_does_not_lose_the_next_document(
    number: signal.Signals, isolation: str, start: Start, docx_file: Path, scratch: Path, target: Path
) -> None:
    pool = start(patience=Patience(answer=1))
    assert warm(pool, docx_file, target)
    target.unlink()
    [office] = offices()
    office.send_signal(number)
    engines.convert(docx_file, target, mime_type=registry.DOCX, scratch=scratch, office=pool)
    assert "On the second page" in text_of(target)[1]
    assert warm(pool, docx_file, target)
    assert offices() != [office]


def test_an_instance_that_stops_in_the_middle_is_replaced_and_its_document_converted(
    start: Start, docx_file: Path, long_file: Path, scratch: Path, target: Path
) -> None:
    pool = start(patience=Patience(stall=1.5))
    assert warm(pool, docx_file, target)
    [office] = offices()
    with ThreadPoolExecutor(1) as thread:
        conversion = thread.submit(engines.convert, long_file, target, mime_type=registry.DOCX, scratch=scratch, office=pool)
        wait_until(lambda: at_work(scratch), "a document is open")
        office.suspend()
        conversion.result(60)
    assert f"Page {LONG_PAGES - 1}:" in last_page_of(target)
    assert not office.is_running()
    assert warm(pool, docx_file, target)


def test_an_instance_that_dies_in_the_middle_is_replaced_and_its_document_converted(
    start: Start, docx_file: Path, long_file: Path, scratch: Path, target: Path
) -> None:
    pool = start()
    assert warm(pool, docx_file, target)
    [office] = offices()
    with ThreadPoolExecutor(1) as thread:
        conversion = thread.submit(engines.convert, long_file, target, mime_type=registry.DOCX, scratch=scratch, office=pool)
        wait_until(lambda: at_work(scratch), "a document is open")
        office.kill()
        conversion.result(60)
    assert f"Page {LONG_PAGES - 1}:" in last_page_of(target)
    assert warm(pool, docx_file, target)


@pytest.mark.parametrize("limits", [Limits(wall_seconds=0.5), Limits(cpu_seconds=1)], ids=["elapsed", "processor"])
def test_a_document_that_takes_too_long_is_told_and_the_slot_works_again(
    limits: Limits, start: Start, docx_file: Path, long_file: Path, scratch: Path, target: Path
) -> None:
    pool = start()
    assert warm(pool, docx_file, target)
    target.unlink()
    failure = failure_of(pool, long_file, target, scratch, mime_type=registry.DOCX, limits=limits)
    assert failure.reason == Reason.PROCESSING_TIMED_OUT
    assert warm(pool, docx_file, target)


def test_a_cancel_ends_the_instance_at_once_and_the_slot_works_again(
    start: Start, docx_file: Path, long_file: Path, scratch: Path, target: Path
) -> None:
    pool = start()
    assert warm(pool, docx_file, target)
    target.unlink()
    [office] = offices()
    cancelled = threading.Event()
    with ThreadPoolExecutor(1) as thread:
        conversion = thread.submit(
            engines.convert, long_file, target, mime_type=registry.DOCX, scratch=scratch, office=pool, cancelled=cancelled
        )
        wait_until(lambda: at_work(scratch), "a document is open")
        since = time.monotonic()
        cancelled.set()
        with pytest.raises(engines.EngineCancelledError):
            conversion.result(10)
        took_seconds = time.monotonic() - since
    assert took_seconds < 1
    assert not office.is_running()
    assert not target.exists()
    assert warm(pool, docx_file, target)


def test_a_pool_that_stops_ends_what_is_under_way(start: Start, long_file: Path, scratch: Path, target: Path) -> None:
    pool = start()
    cancelled = threading.Event()
    with ThreadPoolExecutor(1) as thread:
        conversion = thread.submit(warm, pool, long_file, target, cancelled=cancelled)
        wait_until(lambda: at_work(scratch), "a document is open", seconds=30)
        cancelled.set()
        pool.stop()
        with pytest.raises(engines.EngineCancelledError):
            conversion.result(10)
    assert new_processes() == []
    assert not warm(pool, long_file, target)


def test_an_instance_is_replaced_after_its_number_of_documents(start: Start, docx_file: Path, target: Path) -> None:
    pool = start(documents_per_instance=2)
    assert warm(pool, docx_file, target)
    before = offices()
    assert warm(pool, docx_file, target)
    after = wait_until(lambda: [office for office in offices() if office not in before], "another instance", seconds=30)
    assert not before[0].is_running()
    assert warm(pool, docx_file, target)
    assert "On the second page" in text_of(target)[1]
    assert offices() == after


def test_an_idle_instance_is_ended_and_started_again_when_needed(start: Start, docx_file: Path, target: Path) -> None:
    pool = start(idle_seconds=0.2)
    assert warm(pool, docx_file, target)
    wait_until(lambda: new_processes() == [], "the end of the instance")
    assert warm(pool, docx_file, target)


def test_nothing_of_a_document_is_left_for_the_next(start: Start, docx_file: Path, scratch: Path, target: Path) -> None:
    pool = start()
    assert warm(pool, docx_file, target)
    [root] = scratch.iterdir()
    before = set(root.rglob("*"))
    assert warm(pool, docx_file, target, options=ConvertOptions(title="Another"))
    assert set(root.rglob("*")) == before
    assert [path.name for path in (root / "inputs").iterdir()] == ["request.json"]
    assert not (root / "work" / "result").exists()


def test_a_font_that_a_document_brings_is_not_there_for_the_next(
    start: Start, tmp_path: Path, scratch: Path, target: Path
) -> None:
    bringing, wanting = tmp_path / "bringing.odt", tmp_path / "wanting.odt"
    bringing.write_bytes(odt_in_a_font("Zebra", (Path(reportlab.__file__).parent / "fonts" / "hb-test.ttf").read_bytes()))
    wanting.write_bytes(odt_in_a_font("Zebra", b""))
    pool = start()
    assert warm(pool, wanting, target, mime_type=registry.ODT)
    usual = fonts_of(target)
    [office] = offices()
    assert warm(pool, bringing, target, mime_type=registry.ODT)
    assert fonts_of(target) != usual
    assert not office.is_running()
    assert warm(pool, wanting, target, mime_type=registry.ODT)
    assert fonts_of(target) == usual


def test_two_slots_work_side_by_side(start: Start, docx_file: Path, long_file: Path, tmp_path: Path, scratch: Path) -> None:
    pool = start(slots=2)
    targets = [tmp_path / f"target-{number}.pdf" for number in range(2)]
    with ThreadPoolExecutor(2) as threads:
        conversions = [threads.submit(warm, pool, long_file, target) for target in targets]
        wait_until(lambda: at_work(scratch) == 2, "two documents are open", seconds=30)
        assert all(conversion.result(60) for conversion in conversions)
    assert len(offices()) == 2
    assert all(f"Page {LONG_PAGES - 1}:" in last_page_of(target) for target in targets)


def test_other_limits_than_those_of_the_instances_are_left_to_the_cold_way(start: Start, docx_file: Path, target: Path) -> None:
    assert not warm(start(), docx_file, target, limits=Limits(memory_bytes=1024**3))
    assert new_processes() == []


def test_an_installation_without_the_library_is_left_to_the_cold_way(
    start: Start, docx_file: Path, tmp_path: Path, target: Path
) -> None:
    program = tmp_path / "soffice"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert not warm(start(soffice=str(program)), docx_file, target)


def test_an_instance_that_does_not_start_is_left_to_the_cold_way_and_not_tried_at_once(
    start: Start, docx_file: Path, tmp_path: Path, scratch: Path, target: Path, caplog: pytest.LogCaptureFixture
) -> None:
    program = tmp_path / "soffice"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (tmp_path / "libmergedlo.so").write_bytes(b"no library")
    pool = start(soffice=str(program))
    engines.convert(docx_file, target, mime_type=registry.DOCX, scratch=scratch, office=pool)
    assert "On the second page" in text_of(target)[1]
    with caplog.at_level(logging.INFO):
        assert not warm(pool, docx_file, target)
    assert "the last start failed, and the next one is not tried yet" in caplog.text


def test_a_killed_parent_leaves_no_instance(isolation: str, docx_file: Path, scratch: Path, target: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from osis_document_workers import engines\n"
        "from osis_document_workers.engines import registry, sandbox\n"
        "if sys.argv[5] == 'plain': sandbox._working_prefix = lambda: None\n"
        "source, target, scratch = map(Path, sys.argv[2:5])\n"
        "pool = engines.OfficePool(slots=1, scratch=scratch)\n"
        "engines.convert(source, target, mime_type=registry.DOCX, scratch=scratch, office=pool)\n"
        "print('warm', flush=True)\n"
        "sys.stdin.read()\n"
    )
    arguments = [str(launcher.ENGINES.parent.parent), str(docx_file), str(target), str(scratch), isolation]
    parent = subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    with parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"warm\n"
        below = psutil.Process(parent.pid).children(recursive=True)
        assert below
        parent.kill()
    _, alive = psutil.wait_procs(below, timeout=10)
    assert alive == []
