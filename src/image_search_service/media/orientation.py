"""Turns rectangles by EXIF's orientations, from the stored picture to the upright one and back."""

from __future__ import annotations

from image_search_service.core.types import Box

SIDEWAYS = 5
"""From this orientation on, the stored picture's width and height are swapped."""

_BACK = {6: 8, 8: 6}
"""The inverse orientations; the others are their own inverse."""


def to_upright(box: Box, orientation: int) -> Box:
    """Convert a box of the stored picture to one of the upright picture, both in shares (0 to 1).

    orientation: 1 to 8 (CIPA DC-008, tag 0x0112).
    """
    x, y, width, height = box.x, box.y, box.width, box.height
    right, below = 1 - x - width, 1 - y - height
    if orientation >= SIDEWAYS:
        width, height = height, width
    corner = {
        1: (x, y),
        2: (right, y),
        3: (right, below),
        4: (x, below),
        5: (y, x),
        6: (below, x),
        7: (below, right),
        8: (y, right),
    }[orientation]
    return Box(*corner, width, height)


def to_stored(box: Box, orientation: int) -> Box:
    """The inverse of ``to_upright``."""
    return to_upright(box, _BACK.get(orientation, orientation))
