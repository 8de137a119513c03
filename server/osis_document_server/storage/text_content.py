"""Is this plain text? In whichever encoding, and of whichever sort: libmagic often names a sort."""

import codecs

#: Marks of encodings at the beginning; those of UTF-32 begin like those of UTF-16.
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

#: Control characters that texts contain: tabs, line and page ends, backspaces of underlining printers, escape sequences of
#: terminals, the end mark of DOS.
_USUAL_CONTROLS = b"\t\n\v\f\r\b\x1a\x1b"
_OTHER_CONTROLS = bytes(byte for byte in (*range(1, 32), 127) if byte not in _USUAL_CONTROLS)
#: Of the others, old word processors and devices leave one character in so many at most. Of random bytes, one in ten is one.
_CHARACTERS_PER_CONTROL = 16

#: UTF-16 without a mark is believed if so many of its characters, of ten, are from scripts that end below U+0600.
_FAMILIAR_OF_TEN = 7
_FAMILIAR = "\u0600"


def is_text(beginning: bytes) -> bool:
    """True for text, judged by the beginning of the file (or all of it).

    That is: no NUL but those of UTF-16 and UTF-32, nor those that fill the last record up, and few control characters. The legacy
    encodings, one or several bytes a character, use all others.
    """
    for bom, encoding in _BOMS:
        if beginning.startswith(bom):
            return _is_text_in(beginning[len(bom) :], encoding)
    beginning = beginning.rstrip(b"\0")
    if b"\0" in beginning:
        return any(_is_text_in(beginning, encoding, familiar=True) for encoding in ("utf-16-le", "utf-16-be"))
    return bool(beginning) and _has_few(beginning)


def is_clean_text(beginning: bytes) -> bool:
    """True for text beyond doubt: UTF-8 or ASCII, without unusual control characters."""
    return b"\0" not in beginning and not _count_of_controls(beginning) and _decoded(beginning, "utf-8") is not None


def _has_few(text: bytes) -> bool:
    return _count_of_controls(text) * _CHARACTERS_PER_CONTROL <= len(text)


def _count_of_controls(text: bytes) -> int:
    return len(text) - len(text.translate(None, _OTHER_CONTROLS))


def _is_text_in(encoded: bytes, encoding: str, *, familiar: bool = False) -> bool:
    text = _decoded(encoded, encoding)
    if text is None or "\0" in text.rstrip("\0"):
        return False
    if familiar and 10 * sum(character < _FAMILIAR for character in text) < _FAMILIAR_OF_TEN * len(text):
        return False
    return _has_few(text.encode("utf-8"))


def _decoded(encoded: bytes, encoding: str) -> str | None:
    """The text; None if it is none. A character that the end cuts off does not matter."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(encoded)
    except UnicodeDecodeError:
        return None
