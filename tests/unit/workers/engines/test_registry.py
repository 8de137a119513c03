"""Which converters there are, and how those of other distributions are found."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pypdf import PdfReader

from osis_document_workers import engines
from osis_document_workers.engines import ConvertOptions, EngineError, Reason, converters, registry
from tests.support.converters import install, install_of_the_page

from .conftest import pdf_bytes

TABLE = "name,age\nAda,36\nGrace,85\nZoë,7\n".encode()

#: Makes a PDF of anything: its text is made by the test.
_CONVERTER = """
MIME_TYPES = {types!r}

def convert(source, target, *, mime_type, options, work):
    target.write_bytes({content!r})
"""

Installed = Callable[..., None]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installed]:
    """Installs a converter: `name`, the `types` that it takes and the `content` of its results, or its whole `text`."""
    folder = tmp_path / "site-packages"
    monkeypatch.syspath_prepend(str(folder))
    registry.installed.cache_clear()

    def add(name: str, *, types: object = ("x/y",), content: bytes = b"", text: str = "") -> None:
        module = f"converter_{tmp_path.name.replace('-', '_')}_{name}"
        text = text or _CONVERTER.format(types=types, content=content)
        install(folder, name=name, modules={module: text}, entry_points={name: module})

    yield add
    registry.installed.cache_clear()


def convert(source: Path, content: bytes, mime_type: str, scratch: Path, **options: object) -> Path:
    """Converts a document in an engine process; returns the PDF."""
    source.write_bytes(content)
    target = source.with_suffix(".pdf")
    engines.convert(source, target, mime_type=mime_type, options=ConvertOptions(**options), scratch=scratch)  # type: ignore[arg-type]
    return target


def test_every_module_among_the_converters_is_one_and_no_two_take_the_same_type() -> None:
    modules = {path.stem for path in Path(str(converters.__path__[0])).glob("[!_]*.py")}
    found = {converter.name: converter for converter in registry.CONVERTERS.values()}
    assert set(found) == modules
    assert len(registry.CONVERTERS) == sum(len(converter.mime_types) for converter in found.values())


def test_the_converter_of_the_page_makes_a_pdf_of_a_table(
    tmp_path: Path, scratch: Path, isolation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(install_of_the_page(tmp_path / "site-packages")))
    registry.installed.cache_clear()
    try:
        [page] = PdfReader(convert(tmp_path / "table", TABLE, "text/csv", scratch, title="People")).pages
        with pytest.raises(EngineError, match="Leave the options out") as refused:
            convert(tmp_path / "table", TABLE, "text/csv", scratch, pdf_a=True)
        with pytest.raises(EngineError, match="as CSV in UTF-8") as unreadable:
            convert(tmp_path / "table", b"name\xff,age\n", "text/csv", scratch)
    finally:
        registry.installed.cache_clear()
    assert page.extract_text().split() == ["name", "age", "Ada", "36", "Grace", "85", "Zoë", "7"]
    assert refused.value.reason == Reason.TYPE_NOT_CONVERTIBLE
    assert unreadable.value.reason == Reason.DOCUMENT_UNREADABLE
    assert not unreadable.value.retryable


def test_an_installed_converter_goes_before_one_of_the_workers_own(installed: Installed, tmp_path: Path, scratch: Path) -> None:
    installed("own", types=["text/plain"], content=pdf_bytes("made elsewhere"))
    target = convert(tmp_path / "text", b"text", "text/plain", scratch)
    assert PdfReader(target).pages[0].extract_text().strip() == "made elsewhere"


def test_of_two_converters_of_a_type_the_first_by_name_is_taken_and_the_other_told(
    installed: Installed, caplog: pytest.LogCaptureFixture
) -> None:
    installed("second")
    installed("first")
    assert registry.find("x/y").name == "first"
    assert "x/y is converted by first, not by second" in caplog.text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import a_module_that_is_nowhere", "a_module_that_is_nowhere"),
        ("def convert(): ...", "has no MIME_TYPES"),
        ("MIME_TYPES = 'x/y'\ndef convert(): ...", "has no MIME_TYPES"),
        ("MIME_TYPES = {'x/y'}", "has no function convert"),
        ("raise SystemError", "SystemError"),
    ],
    ids=["import", "no types", "a text", "no function", "fault"],
)
def test_a_converter_that_cannot_be_used_is_told_and_left_out(
    text: str, why: str, installed: Installed, caplog: pytest.LogCaptureFixture
) -> None:
    installed("broken", text=text)
    installed("whole", types=["y/z"])
    with caplog.at_level(logging.ERROR), pytest.raises(EngineError, match=r"Supported types: .*y/z") as refused:
        registry.find("x/y")
    assert refused.value.reason == Reason.TYPE_NOT_CONVERTIBLE
    assert "the converter broken" in caplog.text
    assert why in caplog.text


def test_a_converter_may_be_in_a_package(tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site-packages"
    package = site / "acme_documents" / "kinds"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").touch()
    text = _CONVERTER.format(types=["x/y"], content=pdf_bytes("from a package"))
    (package / "tables.py").write_text(text, encoding="utf-8")
    install(site, name="acme", modules={}, entry_points={"acme": "acme_documents.kinds.tables"})
    monkeypatch.syspath_prepend(str(site))
    registry.installed.cache_clear()
    try:
        target = convert(tmp_path / "table", b"?", "x/y", scratch)
    finally:
        registry.installed.cache_clear()
    assert PdfReader(target).pages[0].extract_text().strip() == "from a package"
