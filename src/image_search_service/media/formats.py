"""Recognises photos by file name. When a file is decoded, its content decides its format."""

from __future__ import annotations

PHOTO_SUFFIXES = frozenset(
    {
        ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo",
        ".png",
        ".webp",
        ".tif", ".tiff",
        ".gif",
        ".heic", ".heif", ".hif",
        ".avif",
    }
)  # fmt: skip

PILLOW_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF", "HEIF")
"""The only Pillow readers in use. Pillow has forty more, some of which run other programs."""


def is_photo_name(name: str) -> bool:
    """Whether a file name has a photo's suffix, in any case."""
    dot = name.rfind(".")
    return dot > 0 and name[dot:].lower() in PHOTO_SUFFIXES
