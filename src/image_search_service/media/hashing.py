"""Hashes files: a photo is identified by its content."""

from __future__ import annotations

import hashlib
from pathlib import Path

from image_search_service.media.errors import media_errors


def content_hash(path: Path) -> str:
    """SHA-256 of the file's bytes, 64 hexadecimal digits. Raises MediaError if it cannot be read."""
    with media_errors(), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
