"""Which files are photos by their name. What a file really is, its content decides when it is decoded."""

from __future__ import annotations

PHOTO_SUFFIXES = frozenset(
    {
        ".jpg", ".jpeg", ".jpe", ".jfif",
        ".png",
        ".webp",
        ".tif", ".tiff",
        ".gif",
        ".heic", ".heif", ".hif",
        ".avif",
    }
)  # fmt: skip

PILLOW_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF", "HEIF")
"""The only readers that a file is given to. Pillow knows forty more, some of which run other programs."""


def is_photo_name(name: str) -> bool:
    """True for a file name that ends like a photo's, in capitals or not."""
    dot = name.rfind(".")
    return dot > 0 and name[dot:].lower() in PHOTO_SUFFIXES
