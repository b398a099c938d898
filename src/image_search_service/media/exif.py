"""Reads a photo's orientation and date from EXIF. Damaged EXIF never fails a photo."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from PIL import ExifTags, Image

from image_search_service.media.errors import DAMAGE

UPRIGHT = 1
"""The orientation, of 1 to 8, of a photo that is stored upright."""

_TAGS = ExifTags.Base
_MOMENTS = (
    (_TAGS.DateTimeOriginal, _TAGS.SubsecTimeOriginal),
    (_TAGS.DateTimeDigitized, _TAGS.SubsecTimeDigitized),
    (_TAGS.DateTime, _TAGS.SubsecTime),
)
"""Tags for when the photo was taken, digitised, and changed; the first one present counts."""

_PATTERN = re.compile(r"(\d{4})[:\-/.](\d{1,2})[:\-/.](\d{1,2})[ T](\d{1,2}):(\d{1,2})(?::(\d{1,2}))?")
_YEARS = range(1826, 2200)
"""Plausible years, from the oldest surviving photograph on; others come from clocks that were never set."""


def read_orientation(image: Image.Image) -> int:
    """The orientation, 1 to 8; ``UPRIGHT`` if missing or invalid. Call it before the pixels are loaded."""
    try:
        value = image.getexif().get(_TAGS.Orientation)
    except DAMAGE:
        return UPRIGHT
    return value if isinstance(value, int) and 1 <= value <= 8 else UPRIGHT


def read_taken_at(image: Image.Image) -> datetime | None:
    """When the photo was taken, by the camera's clock: local time at that place, without a zone."""
    try:
        exif = image.getexif()
        return taken_at({**exif, **exif.get_ifd(ExifTags.IFD.Exif)})
    except DAMAGE:
        return None


def taken_at(tags: Mapping[int, Any]) -> datetime | None:
    """The moment in EXIF tags, with fractions of a second, or None.

    An offset from UTC (``OffsetTimeOriginal``) is ignored: the few photos that have one could not be sorted
    with the many that have none.
    """
    for tag, fraction_tag in _MOMENTS:
        moment = _parse(_text(tags.get(tag)), _text(tags.get(fraction_tag)))
        if moment is not None:
            return moment
    return None


def _parse(text: str, fraction: str) -> datetime | None:
    match = _PATTERN.match(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
    micro = int(fraction[:6].ljust(6, "0")) if fraction.isdecimal() and fraction.isascii() else 0
    try:
        moment = datetime(year, month, day, hour, minute, second, micro)  # noqa: DTZ001 - no zone is known
    except ValueError:
        return None
    return moment if year in _YEARS else None


def _text(value: object) -> str:
    if isinstance(value, tuple) and value:
        value = value[0]
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    return value.strip("\0 \t\r\n") if isinstance(value, str) else ""
