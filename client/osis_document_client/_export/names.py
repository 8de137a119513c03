"""File names for logical paths, whatever these say.

A logical path comes from elsewhere. What becomes of it stays in the folder, is not hidden, can be seen for what it is, is not too
long, and can be copied to a file system that does not tell upper case from lower.
"""

from __future__ import annotations

import hashlib
import unicodedata

#: Control characters, invisible ones that turn the reading direction round, and the like. Joiners are wanted.
_UNSAFE_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_JOINERS = {"\u200c", "\u200d"}

#: An extension that is longer is none.
_LONGEST_EXTENSION_BYTES = 32


def safe_parts(path: str, *, name_bytes: int) -> list[str]:
    """Parts a logical path into safe names of folders and, last, of the file; at least one.

    Args:
        path: the logical path.
        name_bytes: how long a name may be in UTF-8.
    """
    parts = [_safe(part) for part in unicodedata.normalize("NFC", path).split("/") if part]
    return [shortened(part, name_bytes) for part in parts] or ["_"]


def key_of(parts: list[str]) -> str:
    """What two paths have in common that mean the same file somewhere: upper and lower case, composed or not, trailing dots."""
    return "/".join(unicodedata.normalize("NFC", part.rstrip(". ").casefold()) for part in parts)


def with_mark(name: str, mark: str, *, name_bytes: int) -> str:
    """Puts a mark in front of a name's extension, shortening the name where it would be too long."""
    stem, extension = _parted(name)
    return f"{_cut(stem, name_bytes - len(f'-{mark}{extension}'.encode()))}-{mark}{extension}"


def shortened(name: str, name_bytes: int) -> str:
    """Shortens a name that is too long; what was cut off decides on a mark, so that names that begin alike stay apart."""
    if len(name.encode()) <= name_bytes:
        return name
    return with_mark(name, hashlib.sha256(name.encode()).hexdigest()[:12], name_bytes=name_bytes)


def _safe(part: str) -> str:
    plain = part.isascii() and part.isprintable() and "\\" not in part
    escaped = part if plain else "".join(_escaped(character) for character in part)
    return f"_{escaped[1:]}" if escaped.startswith(".") else escaped


def _escaped(character: str) -> str:
    if character == "\\" or (unicodedata.category(character) in _UNSAFE_CATEGORIES and character not in _JOINERS):
        return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
    return character


def _parted(name: str) -> tuple[str, str]:
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension.encode()) > _LONGEST_EXTENSION_BYTES:
        return name, ""
    return stem, dot + extension


def _cut(text: str, count: int) -> str:
    """The beginning of a text, at most so many bytes long in UTF-8."""
    return text.encode()[: max(count, 0)].decode(errors="ignore")
