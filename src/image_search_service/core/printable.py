"""Makes foreign text (file names, names of people and engines) safe to print on a terminal."""

from __future__ import annotations

import re
from typing import Final

_ORDERS: Final = (
    "\\x00-\\x1f\\x7f-\\x9f"  # ESC and all other control characters, C1 among them
    "\\u2028\\u2029"  # ends of lines and paragraphs
    "\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069"  # orders to write in the other direction
    "\\ud800-\\udfff"  # bytes of a file name that are no Unicode
)
_NOT_PRINTED: Final = re.compile(f"[{_ORDERS}]")
_NOT_PRINTED_IN_LINES: Final = re.compile(f"(?![\\n\\t])[{_ORDERS}]")


def printable(text: str) -> str:
    """One line of text with control characters and invalid Unicode as escapes, such as ``\\x1b``."""
    return _NOT_PRINTED.sub(_escape, text)


def printable_lines(text: str) -> str:
    """The same for text that may have several lines."""
    return _NOT_PRINTED_IN_LINES.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")
