"""Memory that decoding takes, by what a file's head says of the picture, over all threads at once.

Small files may hold pictures of gigabytes, so that neither their size nor their number of pixels says what
they cost.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any, Final

from image_search_service.core import machine
from image_search_service.core.errors import MediaError, MediaUnavailableError

TOGETHER: Final = 4
"""What all threads decode at once may take a fourth of the memory."""
ALONE: Final = 2
"""A picture that takes more waits until it is the only one, and may take half of it."""

RESULT: Final = 3
"""Bytes of a pixel of the result, beside the decoded picture."""
_STORED: Final = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2, "I;16N": 2}
"""Bytes of a pixel in Pillow's memory, by mode; 4 for all others."""
_WHOLE: Final = {"WEBP": 17, "AVIF": 20, "HEIF": 20}
"""Bytes of a pixel, of decoders that hold the picture in several forms at once. Measured: WebP 16.4, HEIC of
8 bits 9 and of 10 bits without subsampling 20, AVIF of 8 bits 10."""
BYTES_OF_JXL: Final = 24
"""Measured: 8.5. libjxl may compute with three 32-bit numbers for a pixel where it cannot do so in parts."""
BYTES_OF_RAW: Final = 8
"""Of a raw picture that is developed at half its size: 16 bits as they are, a quarter of four of them, and
of the result."""


def bytes_per_pixel(image: Any) -> float:
    """What decoding a picture takes at the most, with its result. image: of Pillow, opened, not loaded."""
    if image.format in _WHOLE:
        return _WHOLE[image.format]
    stored = _STORED.get(image.mode, 4)
    if image.format in ("JPEG", "MPO"):
        # of a progressive one libjpeg holds all coefficients, two bytes for each of a pixel's numbers
        return stored + max(RESULT, 2 * image.layers if image.info.get("progressive") else 0)
    if image.format == "TIFF":
        # a strip or tile may be all of it, and Pillow turns it in a copy
        return stored + max(RESULT, stored, _bits_of_tiff(image) / 8)
    return stored + RESULT


def _bits_of_tiff(image: Any) -> int:
    bits = image.tag_v2.get(258, (1,))
    return sum(bits) if isinstance(bits, tuple) else int(bits)


class DecodingMemory:
    """A share of memory that threads take parts of, in the order in which they come.

    together: bytes of all at once. alone: of a single one that takes more, which waits until nobody else has
    any.
    """

    def __init__(self, together: int, alone: int) -> None:
        self._together = together
        self._alone = alone
        self._used = 0
        self._line = threading.Lock()
        self._given_back = threading.Condition()
        self._thread = threading.local()

    def take(self, size: int) -> None:
        """Wait for so many bytes. A thread that holds some already does not wait: others may wait for it.

        Raises MediaUnavailableError for more than ``alone``.
        """
        if size > self._alone:
            raise MediaUnavailableError(
                f"Decoding the photo takes {_gigabytes(size)} of memory; here it may take "
                f"{_gigabytes(self._alone)}.",
                hint="Half of the memory of this machine, or of its container, is the limit: index the photo "
                "on a larger one, or make a smaller copy.",
            )
        if self._held:
            with self._given_back:
                self._used += size
        else:
            with self._line, self._given_back:
                self._given_back.wait_for(lambda: self._used == 0 or self._used + size <= self._together)
                self._used += size
        self._thread.held = self._held + size

    def give_back(self, size: int) -> None:
        with self._given_back:
            self._used -= size
            self._given_back.notify_all()
        self._thread.held = self._held - size

    @property
    def _held(self) -> int:
        """Of this thread."""
        return int(getattr(self._thread, "held", 0))


@cache
def decoding_memory() -> DecodingMemory:
    """Of this process."""
    every = machine.memory()
    return DecodingMemory(every // TOGETHER, every // ALONE)


class Allowance:
    """What one photo may take: a number of pixels, and memory, which is given back when the block ends."""

    def __init__(self, max_pixels: int) -> None:
        self.max_pixels = max_pixels
        self._memory = decoding_memory()
        self._taken = 0

    def __enter__(self) -> Allowance:
        return self

    def __exit__(self, *_: object) -> None:
        self._give_back()

    def take(self, width: int, height: int, per_pixel: float, file_size: int = 0) -> None:
        """Wait until a picture may be decoded. per_pixel: bytes. file_size: bytes of what is read as a whole.

        Raises MediaError if it has no pixels, and MediaUnavailableError if it is too large.
        """
        pixels = width * height
        if pixels > self.max_pixels:
            raise MediaUnavailableError(
                f"The photo has {width} × {height} = {pixels:,} pixels; the limit is {self.max_pixels:,}.",
                hint="IMAGE_SEARCH_MAX_MEGAPIXELS sets the limit, in millions of pixels.",
            )
        if pixels == 0:
            raise MediaError("The photo has no pixels.")
        self._give_back()
        size = int(pixels * per_pixel) + file_size
        self._memory.take(size)
        self._taken = size

    def _give_back(self) -> None:
        if self._taken:
            self._memory.give_back(self._taken)
            self._taken = 0


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
