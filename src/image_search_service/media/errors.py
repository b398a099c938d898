"""Translates whatever reading a photo can raise into MediaError.

What follows from the content alone is a MediaError; what may pass (the operating system, memory) is a
MediaUnavailableError.
A reason is always shown next to the file's name, so it does not repeat the name.
"""

from __future__ import annotations

import errno
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, UnidentifiedImageError

from image_search_service.core.errors import MediaError, MediaUnavailableError

DAMAGE = (
    OSError,  # Pillow's error for a broken stream; also a disk that cannot be read
    SyntaxError,  # Pillow's error for a broken header, in PNG and TIFF also while decoding
    EOFError,
    ValueError,  # also UnicodeDecodeError
    TypeError,
    AttributeError,
    AssertionError,
    LookupError,  # IndexError and KeyError, from tables with holes in them
    ArithmeticError,  # ZeroDivisionError and OverflowError, from sizes and ratios that make no sense
    RuntimeError,  # libheif, libavif and libwebp
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
"""What Pillow and its plugins raise for files that are damaged; found by damaging files of each format
(``tests/unit/media/test_damaged_photos.py``)."""

# Pillow's warnings about files that it can read do not help the photo's owner. The filter is set once, here,
# because ``warnings.catch_warnings`` is not safe with several threads.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


@contextmanager
def media_errors() -> Iterator[None]:
    """Translate errors that the file causes in the block into MediaError with a short reason."""
    try:
        yield
    except DAMAGE as error:
        kind = MediaUnavailableError if may_pass(error) else MediaError
        raise kind(explain(error)) from error


@contextmanager
def system_errors() -> Iterator[None]:
    """Translate the operating system's errors in the block, which works on a file, into
    MediaUnavailableError."""
    try:
        yield
    except OSError as error:
        raise MediaUnavailableError(explain(error)) from error


@contextmanager
def memory_errors() -> Iterator[None]:
    """Translate lack of memory in the block, which works on a photo, into MediaUnavailableError."""
    try:
        yield
    except MemoryError as error:
        raise MediaUnavailableError(explain(error)) from error


def may_pass(error: Exception) -> bool:
    """Whether the error is the operating system's or lack of memory, rather than the content's.

    Pillow raises OSError without a number for a broken stream; EINVAL comes from offsets in the content that
    lie before the file.
    """
    if isinstance(error, OSError):
        return error.errno not in (None, errno.EINVAL)
    return isinstance(error, MemoryError)


def explain(error: Exception) -> str:
    """A sentence for the photo's owner: what is wrong with the file."""
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason
    if isinstance(error, OSError) and may_pass(error):
        return f"The file cannot be read: {error.strerror}."
    if "truncated" in str(error).lower():
        return "The file is truncated: its end is missing."
    return "The file is damaged."


_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (FileNotFoundError, "The file has vanished."),
    (NotADirectoryError, "The file has vanished."),
    (PermissionError, "The file may not be read: permission denied."),
    (IsADirectoryError, "This is a folder, not a file."),
    (UnidentifiedImageError, "The file is not a photo, or its beginning is damaged."),
    (MemoryError, "There is not enough memory to decode the photo."),
    (Image.DecompressionBombError, "The photo is too large."),
    (Image.DecompressionBombWarning, "The photo is too large."),
)
