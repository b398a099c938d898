"""Static files under an address that holds a hash of all of them, so that browsers may keep them for good.

Modules import each other by relative paths, hence all files share one folder: ``/static/<hash>/review.js``.
The stylesheet is written in several files and sent as one, ``style.css``.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

STATIC: Final = Path(__file__).parent / "static"
STYLE: Final = "style.css"
_IMPORT = re.compile(r"""^import\b[^;]*?["']\./([\w-]+\.js)["'];""", re.MULTILINE)
_TYPES: Final = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its bytes, the same compressed, and its media type."""

    body: bytes
    compressed: bytes
    media_type: str


class Assets:
    """All static files, read once. ``made``: files that are computed, by name."""

    def __init__(self, folder: Path = STATIC, made: Mapping[str, bytes] | None = None) -> None:
        files = {**_read(folder), **(made or {})}
        self.digest = _digest(files)
        self._files = {name: _asset(name, body) for name, body in files.items()}

    @property
    def names(self) -> list[str]:
        return sorted(self._files)

    def url(self, name: str) -> str:
        """Where a file is served. Raises KeyError if there is none of this name."""
        if name not in self._files:
            raise KeyError(name)
        return f"/static/{self.digest}/{name}"

    def find(self, digest: str, name: str) -> Asset | None:
        """The file at an address; None for an unknown name or files of another version."""
        return self._files.get(name) if digest == self.digest else None

    def imports(self, module: str) -> list[str]:
        """The modules that a module imports, directly or not, so that a browser may load them together."""
        imported: dict[str, None] = {}
        waiting = [module]
        while waiting:
            text = self._files[waiting.pop()].body.decode()
            fresh = [name for name in _IMPORT.findall(text) if name not in imported and name != module]
            imported.update(dict.fromkeys(fresh))
            waiting.extend(fresh)
        return list(imported)


def _read(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    styles = [path for path in paths if path.parent.name == "css"]
    others = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths if path not in styles}
    return {**others, STYLE: b"".join(path.read_bytes() for path in styles)}


def _digest(files: Mapping[str, bytes]) -> str:
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(name.encode() + b"\0" + hashlib.sha256(files[name]).digest())
    return total.hexdigest()[:16]


def _asset(name: str, body: bytes) -> Asset:
    suffix = Path(name).suffix
    guessed = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Asset(body, gzip.compress(body, mtime=0), guessed)
