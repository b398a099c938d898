"""Paths in a library's folder. Only downloaded models are stored outside of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

PICTURE_SUFFIX = ".jpg"
"""Of thumbnails, crops and larger pictures, which this program makes."""


@dataclass(frozen=True, slots=True)
class LibraryPaths:
    """The folder of one library and the names in it."""

    root: Path

    @property
    def database(self) -> Path:
        """SQLite's file, unless ``IMAGE_SEARCH_DATABASE_URL`` is set."""
        return self.root / "library.sqlite3"

    @property
    def database_log(self) -> Path:
        """SQLite's log, which it removes when the database is closed."""
        return self.root / "library.sqlite3-wal"

    @property
    def vectors(self) -> Path:
        """The embedded Qdrant's folder, unless ``IMAGE_SEARCH_QDRANT_URL`` is set."""
        return self.root / "vectors"

    @property
    def thumbnails(self) -> Path:
        return self.root / "thumbnails"

    @property
    def crops(self) -> Path:
        return self.root / "crops"

    @property
    def pictures(self) -> Path:
        """Larger pictures of photos and faces, made on first view; a cache that may be deleted."""
        return self.root / "pictures"

    @property
    def backups(self) -> Path:
        """Copies of the database, made before each migration."""
        return self.root / "backups"

    @property
    def downloads(self) -> Path:
        """Backups that the service's clients may download, for a day; ``services/backup/sending.py``."""
        return self.root / "downloads"

    @property
    def queue(self) -> Path:
        """The queue's SQLite file with ids of waiting jobs, unless ``IMAGE_SEARCH_REDIS_URL`` is set."""
        return self.root / "queue.sqlite3"

    @property
    def lock(self) -> Path:
        return self.root / "library.lock"

    @property
    def token(self) -> Path:
        """The access token that the service requires."""
        return self.root / "token"

    @property
    def key(self) -> Path:
        """By which a command shows the service that its user can write in the library's folder."""
        return self.root / "key"

    @property
    def last_backup(self) -> Path:
        """Of which moment the last backup is."""
        return self.root / "last-backup"

    @property
    def mark(self) -> Path:
        """By which the database recognises the library's folder, where it is on a server."""
        return self.root / "mark"

    @property
    def browser_page(self) -> Path:
        """A page that opens the service in a browser. It holds the token, which a command's arguments would
        show to every user."""
        return self.root / "open.html"

    @property
    def restoring(self) -> Path:
        """Exists while a backup is being restored, and after an interrupted restore."""
        return self.root / "restoring.json"

    def parts(self) -> list[Path]:
        """The library's existing files and folders, its root first, without files of other programs."""
        keys = (self.token, self.key, self.browser_page)
        notes = (self.lock, self.restoring, self.last_backup, self.mark)
        small = (self.thumbnails, self.crops, self.pictures)
        folders = (self.vectors, *small, self.backups, self.downloads)
        named = [path for path in (*keys, *notes, *folders) if path.exists()]
        with_companions = [  # SQLite's log and shared memory lie beside its file
            path for file in (self.database, self.queue) for path in sorted(self.root.glob(f"{file.name}*"))
        ]
        return [self.root, *named, *with_companions]

    def thumbnail(self, asset_id: UUID) -> Path:
        return fan_out(self.thumbnails, asset_id)

    def crop(self, face_id: UUID) -> Path:
        return fan_out(self.crops, face_id)

    def picture(self, asset_id: UUID, side: int) -> Path:
        """The picture of a photo with a longer side of ``side`` pixels."""
        return fan_out(self.pictures / f"photos-{side}", asset_id)

    def large_crop(self, face_id: UUID, side: int) -> Path:
        """The picture of a face with a longer side of ``side`` pixels."""
        return fan_out(self.pictures / f"faces-{side}", face_id)

    def picture_folders(self) -> list[Path]:
        """The folders of all sizes of photos that were made."""
        return sorted(self.pictures.glob("photos-*"))

    def large_crop_folders(self) -> list[Path]:
        """The folders of all sizes of faces that were made."""
        return sorted(self.pictures.glob("faces-*"))


def fan_out(folder: Path, item_id: UUID) -> Path:
    """``folder/ab/abcd….jpg``: of a million files, each of 256 folders has four thousand."""
    name = item_id.hex
    return folder / name[:2] / f"{name}{PICTURE_SUFFIX}"
