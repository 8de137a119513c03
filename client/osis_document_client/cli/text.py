"""Text from elsewhere, made safe to show."""

from __future__ import annotations

import unicodedata

#: Control characters (newlines, escape sequences), invisible ones that turn the reading direction round, and the like.
_UNSAFE_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
#: Joiners, which many scripts cannot be written without.
_SAFE = {"\u200c", "\u200d"}


def visible(text: str) -> str:
    r"""Escapes what a terminal would not show as a character of its own: `a\nb`, `\u202e`."""
    return "".join(_escaped(char) if unicodedata.category(char) in _UNSAFE_CATEGORIES - _SAFE else char for char in text)


def _escaped(char: str) -> str:
    return char if char in _SAFE else char.encode("unicode_escape").decode("ascii")
