"""What outputs are called, and where they are."""

from osis_document_server.domain.names import PATH_LIMIT
from osis_document_server.usecases.outputs import path_of


def test_an_output_is_in_the_folder_of_what_it_was_made_from() -> None:
    assert path_of("letter.pdf", source_path="admission/2026/letter.docx") == "admission/2026/letter.pdf"
    assert path_of("letter.pdf", source_path="letter.docx") == "letter.pdf"


def test_an_output_whose_path_would_be_too_long_is_in_no_folder() -> None:
    folder = "f" * (PATH_LIMIT - len("/a.b"))
    assert path_of("a.b", source_path=f"{folder}/a.b") == f"{folder}/a.b"
    assert path_of("a.pdf", source_path=f"{folder}/a.b") == "a.pdf"
