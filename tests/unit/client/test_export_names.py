"""Whatever a logical path says, its file stays in the folder, can be seen, and fits."""

from __future__ import annotations

import hashlib
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osis_document_client._export.ledger import Ledger
from osis_document_client._export.names import key_of, safe_parts, shortened, with_mark
from osis_document_client._export.placing import Placing

ID = "0b6c7c1e-54f4-4a2e-9d7e-5f3a8a3c2b10"
OTHER_ID = "1c7d8d2f-65a5-4b3f-8e8f-604b9b4d3c21"
THIRD_ID = "2d8e9e3f-76b6-4c4f-9f9f-715caca4e432"


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("admission/2026/card.pdf", ["admission", "2026", "card.pdf"]),
        ("déclaration – é日本.pdf", ["déclaration – é日本.pdf"]),
        ("/etc/passwd", ["etc", "passwd"]),
        ("../../etc/passwd", ["_.", "_.", "etc", "passwd"]),
        ("a/./b/../c", ["a", "_", "b", "_.", "c"]),
        ("a//b/", ["a", "b"]),
        (".ssh/authorized_keys", ["_ssh", "authorized_keys"]),
        ("", ["_"]),
        ("///", ["_"]),
        ("a\nb\x00c\x1b[31m.pdf", ["a%0Ab%00c%1B[31m.pdf"]),
        ("gnp\u202efdp.exe", ["gnp%E2%80%AEfdp.exe"]),
        ("..\\..\\win", ["_.%5C..%5Cwin"]),
        ("e\u0301.pdf", ["é.pdf"]),
        ("क\u200dष.pdf", ["क\u200dष.pdf"]),
    ],
)
def test_every_part_becomes_a_name_that_is_safe(path: str, parts: list[str]) -> None:
    assert safe_parts(path, name_bytes=255) == parts


@given(st.text(max_size=400))
def test_no_path_leads_out_of_the_folder_hides_or_is_too_long(path: str) -> None:
    for part in safe_parts(path, name_bytes=100):
        assert part
        assert not part.startswith(".")
        assert "/" not in part
        assert len(part.encode()) <= 100
        assert not any(unicodedata.category(character) in {"Cc", "Cs", "Zl"} for character in part)


def test_a_name_that_is_too_long_keeps_its_extension_and_stays_apart() -> None:
    first, second = (shortened("é" * 300 + ending + ".pdf", 255) for ending in ("a", "b"))

    assert first != second
    for name in (first, second):
        assert len(name.encode()) <= 255
        assert name.startswith("é" * 100)
        assert name.endswith(".pdf")
    assert shortened("é" * 300 + "a.pdf", 255) == first


def test_a_mark_stands_in_front_of_the_extension() -> None:
    assert with_mark("card.tar.gz", "x", name_bytes=255) == "card.tar-x.gz"
    assert with_mark("card", "x", name_bytes=255) == "card-x"
    assert with_mark("a." + "b" * 50, "x", name_bytes=255) == "a." + "b" * 50 + "-x"
    assert with_mark("é" * 50 + ".pdf", "x", name_bytes=20) == "é" * 7 + "-x.pdf"


@pytest.mark.parametrize(
    ("one", "other"), [("A/Card.PDF", "a/card.pdf"), ("e\u0301", "é"), ("a./b", "a/b"), ("STRASSE", "straße")]
)
def test_paths_that_some_file_system_takes_for_the_same_have_one_key(one: str, other: str) -> None:
    assert key_of(one.split("/")) == key_of(other.split("/"))


# ---- places -----------------------------------------------------------------------------------------------------------------


class Places:
    """A folder that is exported into, over several runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / ".osis-document-export").mkdir()

    def place(self, *documents: tuple[str, str]) -> list[str]:
        """The files of documents (id, path) in one run."""
        with Ledger(self.folder / ".osis-document-export/ledger.db") as ledger:
            placing = Placing(self.folder, ledger)
            return [placing.place(document_id, path, sha256="0" * 64, size_bytes=3) for document_id, path in documents]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


def test_the_second_of_one_path_has_its_id_in_its_name(places: Places) -> None:
    assert places.place((ID, "a/card.pdf"), (OTHER_ID, "a/card.pdf")) == ["a/card.pdf", f"a/card-{OTHER_ID}.pdf"]
    assert places.place((THIRD_ID, "a/card.pdf")) == [f"a/card-{THIRD_ID}.pdf"], "in a later run too"


def test_a_path_with_another_document_s_id_takes_nothing_from_that_one(places: Places) -> None:
    files = places.place((THIRD_ID, f"card-{OTHER_ID}.pdf"), (ID, "card.pdf"), (OTHER_ID, "card.pdf"))

    assert files == [f"card-{OTHER_ID}.pdf", "card.pdf", f"card-{OTHER_ID}-2.pdf"]


def test_names_that_differ_in_case_alone_are_kept_apart(places: Places) -> None:
    assert places.place((ID, "A/Card.pdf"), (OTHER_ID, "a/card.PDF")) == ["A/Card.pdf", f"a/card-{OTHER_ID}.PDF"]


def test_a_file_and_a_folder_of_one_name_are_kept_apart(places: Places) -> None:
    assert places.place((ID, "a"), (OTHER_ID, "A/b"), (THIRD_ID, "A/c")) == ["a", "A-2/b", "A-2/c"]
    assert places.place((f"{ID}x", "x/y"), (f"{OTHER_ID}x", "X")) == ["x/y", f"X-{OTHER_ID}x"]


@pytest.mark.parametrize("name", ["manifest.jsonl", "Manifest.JSONL", "failures.jsonl"])
def test_what_the_export_writes_itself_is_not_taken_from_it(places: Places, name: str) -> None:
    [file] = places.place((ID, name))

    assert ID in file


def test_a_file_that_somebody_else_has_put_there_is_left_alone(places: Places, tmp_path: Path) -> None:
    (tmp_path / "mine.pdf").write_bytes(b"own")
    (tmp_path / "folder").write_bytes(b"own")
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "some").mkdir()

    files = places.place((ID, "mine.pdf"), (OTHER_ID, "folder/a"), (THIRD_ID, "link"), (f"{ID}x", "some"))

    assert files == [f"mine-{ID}.pdf", "folder-2/a", f"link-{THIRD_ID}", f"some-{ID}x"]


def test_a_file_of_an_export_whose_ledger_is_gone_is_known_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "card.pdf").write_bytes(b"own")
    with Ledger(tmp_path / "ledger.db") as ledger:
        placing = Placing(tmp_path, ledger)
        file = placing.place(ID, "card.pdf", sha256=hashlib.sha256(b"own").hexdigest(), size_bytes=3)

    assert file == "card.pdf"


def test_a_path_that_is_too_long_as_a_whole_goes_elsewhere(places: Places, tmp_path: Path) -> None:
    [file] = places.place((ID, "/".join(["é" * 100] * 25) + "/card.pdf"))

    assert file == f"_long_paths/card-{ID}.pdf"
    (tmp_path / file).parent.mkdir()
    (tmp_path / file).touch()


@given(paths=st.lists(st.text(alphabet="aA./\\\u0301é", max_size=8), max_size=12))
def test_no_two_documents_ever_share_a_file(tmp_path_factory: pytest.TempPathFactory, paths: list[str]) -> None:
    folder = tmp_path_factory.mktemp("folder")

    files = Places(folder).place(*((f"{number:036}", path) for number, path in enumerate(paths)))

    keys = {key_of(file.split("/")) for file in files}
    assert len(keys) == len(files)
    for file in files:  # and no file is a folder on the way to another
        assert not any(other != file and key_of(other.split("/")).startswith(f"{key_of(file.split('/'))}/") for other in files)
