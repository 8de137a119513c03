"""File names, paths and ids."""

import uuid

import pytest

from osis_document_server.domain.names import check_name, extension_of, parse_id, resolve_path, with_extension
from osis_document_server.errors import ArgumentInvalid, NameInvalid, PathInvalid


@pytest.mark.parametrize(
    "name", ["a.pdf", "Carte d'identité.PDF", "…", "x" * 255, "日本語.docx", "a b\u00a0c.txt", "..a", "a.", "-rf"]
)
def test_a_name_that_people_use_is_kept(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "is empty"),
        (" ", "is empty"),
        ("../a.pdf", "contains a path separator"),
        ("a\\b.pdf", "contains a path separator"),
        ("..", "names a folder"),
        (".", "names a folder"),
        ("a\0.pdf", "contains a control character"),
        ("a\r\nb.pdf", "contains a control character"),
        ("a\x85b.pdf", "contains a control character"),
        ("x" * 256, "has 256 characters"),
    ],
)
def test_a_name_that_could_do_harm_is_refused_with_its_problem(name: str, problem: str) -> None:
    with pytest.raises(NameInvalid) as caught:
        check_name(name, field="upload_spec.name")
    assert caught.value.metadata["problem"] == problem
    assert caught.value.field == "upload_spec.name"
    assert caught.value.metadata["name"].isascii(), "a hostile name must not reach a terminal or a header as it is"


def test_names_that_look_alike_are_alike() -> None:
    assert check_name("e\u0301.pdf") == check_name("\u00e9.pdf") == "\u00e9.pdf"


@pytest.mark.parametrize(
    ("name", "extension"),
    [("a.PDF", "pdf"), ("a.jpeg", "jpg"), ("a.JPG", "jpg"), ("archive.tar.gz", "gz"), ("a", ""), (".bashrc", ""), ("a.", "")],
)
def test_the_extension_is_what_follows_the_last_dot(name: str, extension: str) -> None:
    assert extension_of(name) == extension


@pytest.mark.parametrize(
    ("name", "renamed"), [("a.docx", "a.pdf"), ("a.b.txt", "a.b.pdf"), ("a", "a.pdf"), ("x" * 255, "x" * 251 + ".pdf")]
)
def test_an_output_is_named_after_its_source(name: str, renamed: str) -> None:
    assert with_extension(name, "pdf") == renamed


@pytest.mark.parametrize(
    ("path", "resolved"),
    [("", "id.pdf"), ("admission/", "admission/id.pdf"), ("admission/2026/other.pdf", "admission/2026/other.pdf")],
)
def test_a_folder_gets_the_name_added(path: str, resolved: str) -> None:
    assert resolve_path(path, "id.pdf") == resolved


@pytest.mark.parametrize("path", ["/etc/", "a/../b/", "../", "a//b/", "./a/", "a\\b", "a\nb/", "x" * 1025])
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(PathInvalid):
        resolve_path(path, "id.pdf")


def test_an_id_is_a_uuid_in_any_usual_form() -> None:
    expected = uuid.uuid4()
    assert parse_id(str(expected), field="id") == parse_id(expected.hex.upper(), field="id") == expected


@pytest.mark.parametrize("text", ["", "42", "not-a-uuid", "../../etc/passwd"])
def test_anything_else_is_no_id(text: str) -> None:
    with pytest.raises(ArgumentInvalid, match="id"):
        parse_id(text, field="id")
