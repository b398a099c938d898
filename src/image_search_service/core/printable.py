"""Makes foreign text (file names, names of people and engines) safe to print on a terminal.

Three writers apply it, and nobody else needs to: ``cli/output.py`` to whatever a command prints, where its
width is not measured yet; ``core/logging.py`` to our log; and ``PrintableStream`` to everything else that
reaches standard error: what the parser of the command line, libraries' logs, warnings and tracebacks say.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterable
from typing import Any, Final, TextIO, cast

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


def json_text(document: Any, **how: Any) -> str:
    """JSON of one line in which every character that orders something is an escape."""
    return json.dumps(document, **how).replace("\x7f", "\\u007f")  # the only one that ASCII leaves as it is


def make_output_printable() -> None:
    """From now to the end of the process standard error is printable, whoever writes to it, and what the
    terminal's encoding does not have is an escape on standard output, too."""
    sys.stderr = cast("TextIO", PrintableStream(terminal(sys.stderr)))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def terminal(stream: TextIO) -> TextIO:
    """What a stream writes to, for who makes each text printable and then colours it."""
    return stream.stream if isinstance(stream, PrintableStream) else stream


class PrintableStream:
    """A text stream to which nothing can be written but lines of printable text."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        self.stream.write(printable_lines(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        self.write("".join(lines))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")
