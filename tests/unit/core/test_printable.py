"""Names that would steer a terminal are shown as escapes."""

from __future__ import annotations

import pytest
import structlog

from image_search_service.core.logging import configure_logging
from image_search_service.core.printable import printable, printable_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u202egpj.exe", "a\\u202egpj.exe"),
        ("\u2066x\u2069\u200f\u061c", "\\u2066x\\u2069\\u200f\\u061c"),
        ("a\r\nb\u2028c\x00\x7f", "a\\r\\nb\\u2028c\\x00\\x7f"),
        ("\udcff.jpg", "\\udcff.jpg"),
        ("Zoë 李 שרה 👩\u200d👧 \\x1b", "Zoë 李 שרה 👩\u200d👧 \\x1b"),
    ],
)
def test_orders_to_a_terminal_are_escaped(text: str, shown: str) -> None:
    """Control characters of both sets, turns of direction and broken bytes; no letter of any language."""
    assert printable(text) == shown


def test_lines_stay_lines() -> None:
    """A text of several lines keeps them, and nothing else."""
    assert printable_lines("a\n\tb\r\x1b") == "a\n\tb\\r\\x1b"


def test_logs_are_printable(capsys: pytest.CaptureFixture[str]) -> None:
    """What a log says of a file cannot steer the terminal in which it is read."""
    configure_logging()
    structlog.get_logger().warning("cannot be read", path="/photos/\x1b[2J\u202e.jpg", size=3)
    said = capsys.readouterr().err
    assert "/photos/\\x1b[2J\\u202e.jpg" in said
    assert "\x1b[2J" not in said
