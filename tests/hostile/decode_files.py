"""Decodes and describes each file of a folder, as the service does: see ``bounded.py``.

Prints each file before it is decoded, then its result; with ``memory`` the bytes that it took at the most
beyond what its allowance says.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np

from image_search_service.core.errors import MediaError
from image_search_service.media import memory
from image_search_service.media.decode import decode_photo
from image_search_service.media.sidecars import read_embedded
from tests.hostile.bounded import begin_case

MAX_PIXELS = 250_000_000
SECONDS = 10.0
"""Of processor time that a file may take."""


def main(folder: Path, what: str) -> None:
    decoded = folder.with_name("warm.png")
    cv2.imwrite(str(decoded), np.zeros((8, 8, 3), np.uint8))
    decode_photo(decoded, max_pixels=MAX_PIXELS)  # loads what is loaded at the first use
    for path in sorted(folder.iterdir()):
        begin_case(path.name, SECONDS)
        print(_memory_beyond(path) if what == "memory" else _decode(path), flush=True)


def _decode(path: Path) -> str:
    with suppress(MediaError):
        read_embedded(path)
    try:
        return decode_photo(path, max_pixels=MAX_PIXELS).format
    except MediaError as error:
        return error.message


def _memory_beyond(path: Path) -> int:
    """In a process of its own, which begins with this one's memory."""
    read, write = os.pipe()
    if os.fork() == 0:
        allowed: list[int] = []
        memory.Allowance.take = _noted(allowed)  # type: ignore[assignment,method-assign]
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        before = _status("VmRSS")
        decode_photo(path, max_pixels=MAX_PIXELS)
        os.write(write, str(_status("VmHWM") - before - max(allowed)).encode())
        os._exit(0)
    os.wait()
    return int(os.read(read, 100))


def _noted(allowed: list[int]) -> Callable[[memory.Allowance, int, int, float, int], None]:
    """As ``Allowance.take``, which it calls; keeps how much memory was asked for."""
    take = memory.Allowance.take

    def noting(self: memory.Allowance, width: int, height: int, per_pixel: float, file_size: int = 0) -> None:
        allowed.append(int(width * height * per_pixel) + file_size)
        take(self, width, height, per_pixel, file_size)

    return noting


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
