"""Every rpc says which errors it has of its own, by names that exist."""

import re

from osis.document.v1.error_reason_pb2 import ErrorReason

NO_ERRORS = "no method-specific errors"
REASONS = {name.removeprefix("ERROR_REASON_") for name, _ in ErrorReason.items()}


def errors_paragraph(comment: str) -> str:
    """The paragraph of ``comment`` that begins with "Errors:", in one line."""
    paragraphs = [" ".join(paragraph.split()) for paragraph in comment.split("\n\n")]
    return next((paragraph for paragraph in paragraphs if paragraph.startswith("Errors:")), "")


def names_in(paragraph: str) -> set[str]:
    """The names of reasons: words in capitals outside backquotes, where settings and rpcs are named."""
    return set(re.findall(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b", re.sub(r"`[^`]*`", "", paragraph)))


def test_there_are_rpcs_to_look_at(contract):
    assert "UploadService.WriteUpload" in contract.rpc_comments()


def test_every_rpc_names_its_errors_or_says_that_it_has_none(contract):
    silent = [
        rpc
        for rpc, comment in contract.rpc_comments().items()
        if not errors_paragraph(comment) and NO_ERRORS not in comment.lower()
    ]

    assert silent == []


def test_every_error_that_an_rpc_names_is_an_error_reason(contract):
    unknown = {rpc: names_in(errors_paragraph(comment)) - REASONS for rpc, comment in contract.rpc_comments().items()}

    assert {rpc: names for rpc, names in unknown.items() if names} == {}


def test_every_rpc_with_an_errors_paragraph_names_at_least_one(contract):
    vague = [
        rpc
        for rpc, comment in contract.rpc_comments().items()
        if (paragraph := errors_paragraph(comment)) and not names_in(paragraph) and "those of `" not in paragraph
    ]

    assert vague == []


def test_errors_that_refer_to_another_rpc_refer_to_one_of_the_same_service(contract):
    comments = contract.rpc_comments()
    astray = [
        f"{rpc} -> {other}"
        for rpc, comment in comments.items()
        for other in re.findall(r"those of `(\w+)`", errors_paragraph(comment))
        if f"{rpc.partition('.')[0]}.{other}" not in comments
    ]

    assert astray == []
