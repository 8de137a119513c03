"""What people call things: file names, logical paths, ids."""

import unicodedata
import uuid
from pathlib import PurePosixPath

from osis_document_server.errors import ArgumentInvalid, NameInvalid, PathInvalid

#: Longest file name in characters; what ext4, APFS and NTFS allow, so that every name can be saved under itself.
NAME_LIMIT = 255
#: Longest logical path in characters.
PATH_LIMIT = 1024


def check_name(name: str, *, field: str = "name") -> str:
    """Returns ``name`` in NFC, the form in which equal names are equal.

    Raises:
        NameInvalid: empty, longer than 255 characters, with separators or control characters, or ``.`` or ``..``.
    """
    name = unicodedata.normalize("NFC", name)
    problem = _problem_of(name)
    if problem:
        shown = name if len(name) <= 80 else f"{name[:80]}…"
        raise NameInvalid(
            f"The file name {shown!r} {problem}. Send the bare name of the file, 1 to {NAME_LIMIT} characters, without folders.",
            field=field,
            name=shown.encode("unicode_escape").decode("ascii"),
            problem=problem,
        )
    return name


def _problem_of(name: str) -> str:
    if not name.strip():
        return "is empty"
    if len(name) > NAME_LIMIT:
        return f"has {len(name)} characters"
    if "/" in name or "\\" in name:
        return "contains a path separator"
    if name in {".", ".."}:
        return "names a folder"
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in name):
        return "contains a control character"
    return ""


def extension_of(name: str) -> str:
    """Returns the extension without its dot, in lower case, with ``jpeg`` told as ``jpg``; empty if there is none."""
    extension = PurePosixPath(name).suffix[1:].lower()
    return "jpg" if extension == "jpeg" else extension


def with_extension(name: str, extension: str) -> str:
    """Returns ``name`` with another extension: ``("photo.JPG", "pdf")`` gives ``photo.pdf``. Cut where it would be too long."""
    stem = name[: -len(PurePosixPath(name).suffix)] if PurePosixPath(name).suffix else name
    return f"{stem[: NAME_LIMIT - len(extension) - 1]}.{extension}"


def resolve_path(path: str, name: str, *, field: str = "path") -> str:
    """Returns the logical path of a document called ``name``: ``path``, with ``name`` added where it is a folder or empty.

    Raises:
        PathInvalid: longer than 1,024 characters, absolute, or with ``..``, empty parts, backslashes or control characters.
    """
    resolved = unicodedata.normalize("NFC", path + name if path.endswith("/") or not path else path)
    problem = ""
    parts = resolved.split("/")
    if len(resolved) > PATH_LIMIT:
        problem = f"has {len(resolved)} characters"
    elif resolved.startswith("/"):
        problem = "is absolute"
    elif any(part in {"", ".", ".."} for part in parts):
        problem = "has an empty part, '.' or '..'"
    elif "\\" in resolved or any(unicodedata.category(character) in {"Cc", "Cs"} for character in resolved):
        problem = "contains a backslash or a control character"
    if problem:
        raise PathInvalid(
            f"The path {resolved[:80]!r} {problem}. "
            f"Send a relative path such as 'admission/2026/', at most {PATH_LIMIT} characters.",
            field=field,
            path=resolved[:80].encode("unicode_escape").decode("ascii"),
            problem=problem,
        )
    return resolved


def parse_id(text: str, *, field: str) -> uuid.UUID:
    """Returns the UUID that ``text`` writes.

    Raises:
        ArgumentInvalid: it writes none.
    """
    try:
        return uuid.UUID(text)
    except ValueError:
        shown = text[:80]
        what = "is missing" if not text else f"is {shown!r}, which is no UUID"
        raise ArgumentInvalid(
            f"{field} {what}. Send a UUID such as {uuid.uuid4()}.", field=field, value=shown.encode("unicode_escape").decode()
        ) from None
