"""Hashes files: a photo is identified by its content."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from image_search_service.core.errors import MediaUnavailableError
from image_search_service.core.files import FileState
from image_search_service.media.errors import media_errors
from image_search_service.media.heads import require_worth_hashing


def content_hash(path: Path) -> str:
    """SHA-256 of the file's bytes, 64 hexadecimal digits. Raises MediaError if it cannot be read."""
    return hash_file(path)[0]


def hash_file(path: Path) -> tuple[str, FileState]:
    """The same, and the file's state before it was read.

    Raises MediaError if it cannot be read, is no photo although it is long, or is too long.
    """
    with media_errors(), path.open("rb") as file:
        state = FileState.of(os.fstat(file.fileno()))
        require_worth_hashing(path, file)
        return hashlib.file_digest(file, "sha256").hexdigest(), state


def require_unchanged(path: Path, state: FileState) -> None:
    """Raises MediaUnavailableError if the file is not in this state any more."""
    with media_errors():
        now = FileState.of(path.stat())
    if now[:2] != state[:2]:
        raise MediaUnavailableError("The file changed while it was read.")
