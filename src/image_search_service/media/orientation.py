"""Rectangles under EXIF's orientations: from the picture as it is stored to the upright one, and back."""

from __future__ import annotations

from image_search_service.core.types import Box

SIDEWAYS = 5
"""From this orientation on width and height of the stored picture change places."""

_BACK = {6: 8, 8: 6}
"""The orientation that undoes each; the others undo themselves."""


def to_upright(box: Box, orientation: int) -> Box:
    """A box of the stored picture, in shares of it (0 to 1), as one of the upright picture.

    orientation: 1 to 8, as CIPA DC-008 has it (tag 0x0112).
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
    """The other way."""
    return to_upright(box, _BACK.get(orientation, orientation))
