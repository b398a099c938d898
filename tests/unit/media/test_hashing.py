"""``media.hashing``."""

from __future__ import annotations

import hashlib
from pathlib import Path

from image_search_service.media.hashing import content_hash


def test_the_hash_is_that_of_the_content(tmp_path: Path) -> None:
    """Equal contents have equal hashes, whatever the files are called; a large file is read in pieces."""
    content = bytes(range(256)) * 4096 * 3
    for name in ("one.jpg", "two.png"):
        (tmp_path / name).write_bytes(content)
    assert content_hash(tmp_path / "one.jpg") == content_hash(tmp_path / "two.png")
    assert content_hash(tmp_path / "one.jpg") == hashlib.sha256(content).hexdigest()


def test_an_empty_file_has_a_hash(tmp_path: Path) -> None:
    """An empty file is content too; that it is no photo, decoding says."""
    (tmp_path / "empty.jpg").touch()
    assert content_hash(tmp_path / "empty.jpg") == hashlib.sha256(b"").hexdigest()
