"""Recognises photos by file name. When a file is decoded, its content decides its format."""

from __future__ import annotations

from collections.abc import Sequence

RAW_SUFFIXES = frozenset(
    {
        ".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".gpr", ".iiq", ".k25",
        ".kdc", ".mef", ".mos", ".mrw",
        ".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f",
    }
)  # fmt: skip
"""Suffixes of cameras' raw files. A photo developed from one must not write to the raw file's sidecar."""

PHOTO_SUFFIXES = frozenset(
    {
        ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo",
        ".png",
        ".webp",
        ".tif", ".tiff",
        ".gif",
        ".heic", ".heif", ".hif",
        ".avif",
        ".jxl",
    }
)  # fmt: skip

PILLOW_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF", "HEIF")
"""The only Pillow readers in use. Pillow has forty more, some of which run other programs."""


def is_photo_name(name: str) -> bool:
    """Whether a file name has the suffix of a photo or of a raw file, in any case."""
    suffix = _suffix(name)
    return suffix in PHOTO_SUFFIXES or suffix in RAW_SUFFIXES


def without_raws_of_photos(names: Sequence[str]) -> list[str]:
    """The names in a folder, without raw files beside a photo of the same stem: both are one photo."""
    stems = {_stem(name) for name in names if _suffix(name) in PHOTO_SUFFIXES}
    return [name for name in names if _suffix(name) not in RAW_SUFFIXES or _stem(name) not in stems]


def _suffix(name: str) -> str:
    dot = name.rfind(".")
    return name[dot:].lower() if dot > 0 else ""


def _stem(name: str) -> str:
    return name[: name.rfind(".")].lower()
