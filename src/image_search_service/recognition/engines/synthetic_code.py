"""The code that a drawn face wears: what it says, how it looks, where the face is relative to it.

Every person whom ``image_search_service.demo`` draws wears a scarf below the chin, and the scarf's
pattern is a code of 4 rows × 21 columns of dark and light cells in a dark frame, 23 × 6 cells in all,
on a light ground. It says who the person is and how the picture was taken. The one who draws and the
one who reads (``synthetic.py``) share this module and nothing else.

Coordinates here are in cells, x to the right and y downwards from the frame's upper left corner, so the
face lies at negative y.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.bool_]

ROWS, COLUMNS = 4, 21
FRAME_WIDTH, FRAME_HEIGHT = COLUMNS + 2, ROWS + 2
QUIET = 1.0
"""Light cells around the frame, without which it would run into the clothes."""

FACE_LEFT, FACE_TOP, FACE_WIDTH, FACE_HEIGHT = 1.5, -27.5, 20.0, 26.0
FACE_MIDDLE = FACE_LEFT + FACE_WIDTH / 2
CHIN = FACE_TOP + FACE_HEIGHT

_FIELDS = (
    ("family", 20), ("member", 4), ("age", 7), ("moment", 8), ("shot", 4),
    ("blur", 4), ("yaw", 3), ("tilt", 2),
)  # fmt: skip
_CRC_BITS = 32
_PAYLOAD_BITS = sum(width for _, width in _FIELDS)
_BYTES = (_PAYLOAD_BITS + 7) // 8
# Exclusive-or with a fixed pattern, so that a payload of many zeros still looks like a pattern.
_MASK: Bits = np.unpackbits(np.frombuffer(b"knitted-pat", dtype=np.uint8))[: ROWS * COLUMNS].astype(bool)

YAW_LIMIT, TILT_LIMIT = 3, 1
YAW_SHIFT = 0.9
"""How far the features move sideways, in cells, for one step of yaw (about 12 degrees)."""
TILT_DEGREES = 7.0


@dataclass(frozen=True, slots=True)
class FaceCode:
    """What the scarf says. ``family`` and ``member`` together are the person.

    family: 0 to 1,048,575; members of one family resemble each other.
    member: 0 to 15; 0 and 1 are the parents, all others their children.
    age: years, 0 to 127.
    moment: 0 to 255, tells two pictures of one person apart.
    shot: 0 to 15, tells apart two pictures of one moment, which are nearly alike.
    blur: 0 (a good picture) to 15 (a bad one).
    yaw: −3 to 3, steps of about 12 degrees, positive when the face looks to the picture's right.
    tilt: −1 to 1, steps of 7 degrees, positive when the head leans clockwise.
    """

    family: int
    member: int = 0
    age: int = 30
    moment: int = 0
    shot: int = 0
    blur: int = 0
    yaw: int = 0
    tilt: int = 0

    @property
    def person(self) -> int:
        """The person's number, 0 to 16,777,215."""
        return self.family * 16 + self.member


def encode(code: FaceCode) -> Bits:
    """The frame with its cells, ``(6, 23)``, True where it is dark.

    Raises ValueError when a field is out of its range.
    """
    number = _pack(code)
    crc = zlib.crc32(number.to_bytes(_BYTES, "big"))
    whole = number << _CRC_BITS | crc
    bits = np.array([whole >> place & 1 for place in reversed(range(ROWS * COLUMNS))], dtype=bool)
    cells = np.ones((FRAME_HEIGHT, FRAME_WIDTH), dtype=bool)
    cells[1:-1, 1:-1] = (bits ^ _MASK).reshape(ROWS, COLUMNS)
    return cells


def decode(cells: Bits) -> FaceCode | None:
    """The meaning of the ``(84,)`` inner cells, row by row; None when the checksum is wrong."""
    bits = cells ^ _MASK
    whole = int.from_bytes(np.packbits(bits).tobytes(), "big") >> (-bits.size % 8)
    number, crc = whole >> _CRC_BITS, whole & (1 << _CRC_BITS) - 1
    if zlib.crc32(number.to_bytes(_BYTES, "big")) != crc:
        return None
    return _unpack(number)


def _pack(code: FaceCode) -> int:
    number = 0
    for name, width in _FIELDS:
        offset = _offset(name)
        value = getattr(code, name) + offset
        if not 0 <= value <= (2 * offset or (1 << width) - 1):
            raise ValueError(f"{name} is {getattr(code, name)}, out of its range")
        number = number << width | value
    return number


def _unpack(number: int) -> FaceCode:
    values = {}
    for name, width in reversed(_FIELDS):
        values[name] = (number & (1 << width) - 1) - _offset(name)
        number >>= width
    return FaceCode(**values)


def _offset(name: str) -> int:
    """Signed fields are stored as their distance from the lowest value."""
    return {"yaw": YAW_LIMIT, "tilt": TILT_LIMIT}.get(name, 0)


def landmarks(yaw: int, tilt: int) -> tuple[tuple[float, float], ...]:
    """The five points of ``Landmarks``, in cells, for a head turned and tilted so far."""
    eye, mouth, nose = FACE_TOP + 12.2, FACE_TOP + 20.3, FACE_TOP + 16.2
    shift = yaw * YAW_SHIFT
    points = ((-4.2, eye), (4.2, eye), (shift * 0.5, nose), (-3.2, mouth), (3.2, mouth))
    return tuple(tilted(FACE_MIDDLE + x + shift, y, tilt) for x, y in points)


def tilted(x: float, y: float, tilt: int) -> tuple[float, float]:
    """A point of the head after the head has leaned, about the chin."""
    angle = math.radians(tilt * TILT_DEGREES)
    dx, dy = x - FACE_MIDDLE, y - CHIN
    return (
        FACE_MIDDLE + dx * math.cos(angle) - dy * math.sin(angle),
        CHIN + dx * math.sin(angle) + dy * math.cos(angle),
    )
