"""What reading and writing names did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

EXAMPLES = 20
"""Lines about single files that a report has."""


@dataclass(slots=True)
class ReadReport:
    """The result of reading. regions: named regions. matched: regions at the place of a face. named: faces
    that got a name.

    corrected: of these, faces whose name another program has corrected. withdrawn: faces whose name another
    program has taken away. kept: faces of which somebody said otherwise in this library. shared: faces whose
    name in the file several people here have, so that nobody knows whom it means. by_hand: regions without
    a face that became one. unmatched: other regions without a face, or whose place cannot be read.
    without_place: persons whom files name without a region. outdated: named regions made for a picture of
    another shape, which are not believed. dropped: names that are none, such as bytes that are no text.
    unreadable: files.
    """

    photos: int = 0
    regions: int = 0
    matched: int = 0
    named: int = 0
    corrected: int = 0
    withdrawn: int = 0
    kept: int = 0
    shared: int = 0
    by_hand: int = 0
    unmatched: int = 0
    without_place: int = 0
    outdated: int = 0
    dropped: int = 0
    unreadable: int = 0
    decisions: list[int] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)

    def show(self, more: Sequence[str]) -> None:
        """Add examples as far as there is room."""
        add_examples(self.examples, more)


@dataclass(slots=True)
class WriteReport:
    """The result of writing. files: photos' files with a named face. written, unchanged: sidecars.

    corrected: names that another program has changed since they were last read or written, and that were
    left as they are. unreadable: unreadable files and unwritable sidecars, which stay as they are. changes:
    the changes of the first sidecars that were written, or would be.
    """

    files: int = 0
    written: int = 0
    unchanged: int = 0
    corrected: int = 0
    unreadable: int = 0
    changes: list[str] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)


def add_examples(examples: list[str], more: Sequence[str]) -> None:
    """Add lines as far as there is room for ``EXAMPLES``."""
    examples += more[: EXAMPLES - len(examples)]
