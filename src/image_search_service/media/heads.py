"""Looks at the beginning of a file before it is hashed, and at its parts before Pillow reads them.

Pillow keeps all parts before the picture, some of them by joining ever longer texts, and looks for the next
part of a JPEG byte by byte. So what no camera or program writes is refused here, in a few reads.
"""

from __future__ import annotations

import io
import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from image_search_service.core.errors import MediaError, MediaUnavailableError
from image_search_service.media.cut_off import PNG_SIGNATURE
from image_search_service.media.jxl import is_jxl
from image_search_service.media.raw import is_raw_name

LARGEST_FILE: Final = 2**32
"""Bytes of a photo that is read: 250 million pixels of four 32-bit numbers, as they are."""
LARGEST_WHOLE: Final = 2**29
"""Bytes of a file that its decoder reads as a whole."""
LONG: Final = 2**26
"""Bytes of a file from which on its beginning is looked at before it is hashed."""
MOST_BEFORE: Final = 2**26
"""Bytes of descriptions and profiles before the picture."""
MOST_OF_GIF: Final = 2**20
"""The same in a GIF, which is joined from parts of 255 bytes."""
MOST_CHUNKS: Final = 10_000
"""Parts of a PNG, beside one for each kilobyte."""
FARTHEST: Final = 2**16
"""Bytes between two parts of a JPEG that belong to none."""

MOST_SCANS: Final = 200
"""Scans of a progressive JPEG, each of which goes over the whole picture; programs write ten or so."""
_BLOCK: Final = 2**20

_BEGINNINGS: Final = (b"\xff\xd8\xff", PNG_SIGNATURE, b"GIF8", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_MARKER: Final = re.compile(rb"\xff[^\x00\xff]", re.DOTALL)
_END_OF_PNG: Final = b"\0\0\0\0IEND\xaeB`\x82"
_SCAN: Final = b"\xff\xda"
_DAMAGED: Final = "The file is damaged."


def require_worth_hashing(path: Path, file: BinaryIO) -> None:
    """Refuse a long file that is too long, or does not begin as a photo: hashing it would take minutes.

    Raises MediaUnavailableError, since nothing is known of its content.
    """
    size = os.fstat(file.fileno()).st_size
    if size <= LONG:
        return
    if size > LARGEST_FILE:
        raise MediaUnavailableError(
            f"The file has {size:,} bytes; the limit is {LARGEST_FILE:,}.",
            hint="Make a smaller copy of the photo.",
        )
    if not is_raw_name(path) and not _is_photo(file.read(16)):
        raise MediaUnavailableError("The file is not a photo, or its beginning is damaged.")
    file.seek(0)


def _is_photo(head: bytes) -> bool:
    is_riff = head.startswith(b"RIFF") and head[8:12] == b"WEBP"
    return head.startswith(_BEGINNINGS) or is_riff or head[4:8] == b"ftyp" or is_jxl(head[:12])


def require_modest_head(file: BinaryIO) -> None:
    """Refuse what would cost much before a pixel is decoded. Raises MediaError; the file is at its start
    again."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(16)
    if head.startswith(b"\xff\xd8\xff"):
        _check_jpeg(file)
    elif head.startswith(PNG_SIGNATURE):
        _check_png(file, size)
    elif head.startswith(b"GIF8"):
        _check_gif(file)
    elif not head.startswith(_BEGINNINGS) and size > LARGEST_WHOLE:
        raise MediaError(f"The file has {size:,} bytes; of its kind {LARGEST_WHOLE:,} are read.")
    file.seek(0)


def require_few_scans(file: BinaryIO) -> None:
    """Refuse a progressive JPEG of very many scans. Raises MediaError; the file stays where it is."""
    place = file.tell()
    file.seek(0)
    scans, last = 0, b""
    while block := file.read(_BLOCK):
        scans += (last + block).count(_SCAN)
        last = block[-1:]
        if scans > MOST_SCANS:
            raise MediaError(f"The photo is stored in more than {MOST_SCANS} scans.")
    file.seek(place)


def _check_jpeg(file: BinaryIO) -> None:
    """Its segments up to the first scan (ITU-T T.81, B.1.1)."""
    file.seek(2)
    total = 0
    for marker in iter(lambda: _next_marker(file), None):
        if marker in (0xDA, 0xD9):  # the first scan; the end
            return
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:  # these have no content
            continue
        length = int.from_bytes(file.read(2), "big")
        total += length
        if total > MOST_BEFORE:
            raise MediaError(f"The file has more than {MOST_BEFORE:,} bytes before its picture.")
        file.seek(max(length - 2, 0), os.SEEK_CUR)


def _next_marker(file: BinaryIO) -> int | None:
    """The code of the next marker, None at the file's end. Bytes before it that belong to nothing are
    skipped, as Pillow does."""
    marker = file.read(2)
    if not _MARKER.fullmatch(marker):
        skipped = marker + file.read(FARTHEST)
        found = _MARKER.search(skipped)
        if found is None:
            if len(skipped) > FARTHEST:
                raise MediaError(_DAMAGED)
            return None
        file.seek(found.end() - len(skipped), os.SEEK_CUR)
        marker = found[0]
    return marker[1]


def png_without_picture(file: BinaryIO) -> BinaryIO:
    """A copy in memory, for whoever reads its descriptions: they may come behind the picture, which Pillow
    would decode to find them."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    copy = io.BytesIO()
    copy.write(file.read(8))
    for at, length, kind in list(_png_chunks(file, size)):
        if kind not in (b"IDAT", b"IEND"):
            file.seek(at)
            copy.write(file.read(length + 12))
    copy.write(_END_OF_PNG)
    copy.seek(0)
    return copy


def _png_chunks(file: BinaryIO, size: int) -> Iterator[tuple[int, int, bytes]]:
    """Place, length and kind of each up to the last (ISO/IEC 15948, 5.3); what follows belongs to none."""
    at, kind = 8, b""
    while at + 8 <= size and kind != b"IEND":
        file.seek(at)
        length, kind = struct.unpack(">I4s", file.read(8))
        yield at, length, kind
        at += length + 12


def _check_png(file: BinaryIO, size: int) -> None:
    beside = 0
    for chunks, (at, length, kind) in enumerate(_png_chunks(file, size)):
        beside += 0 if kind == b"IDAT" else length
        if chunks > MOST_CHUNKS + at // 1024 or beside > MOST_BEFORE:
            raise MediaError("The file has too many parts, or too large ones, beside its picture.")


def _check_gif(file: BinaryIO) -> None:
    """What comes before the first picture (GIF89a, 18 to 26)."""
    file.seek(10)
    flags = file.read(3)[0]
    file.seek(3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0, os.SEEK_CUR)
    total = 0
    while file.read(1) == b"!":
        file.seek(1, os.SEEK_CUR)
        while length := int.from_bytes(file.read(1)):
            total += length
            if total > MOST_OF_GIF:
                raise MediaError(f"The file has more than {MOST_OF_GIF:,} bytes before its picture.")
            file.seek(length, os.SEEK_CUR)
