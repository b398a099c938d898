"""What a run of indexing did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Failure:
    """A file or folder that could not be read, and why.

    waits: the reason may pass, so nothing is stored of the content, and the next run tries again.
    """

    path: Path
    reason: str
    waits: bool = False


@dataclass(slots=True)
class IndexReport:
    """The result of a run. Every file seen is new, unchanged, moved or copied, or failed; of those that
    failed some wait for another try."""

    photos_seen: int = 0
    photos_new: int = 0
    photos_unchanged: int = 0
    photos_moved: int = 0
    """Files whose content the library had already: moved, renamed, copied."""
    photos_missing: int = 0
    folders_away: list[Path] = field(default_factory=list)
    """Indexed folders, and what was asked for, that are not there; the files below them are missing."""
    files_excluded: int = 0
    """Files known from before that excludes leave out now."""
    files_ignored: int = 0
    """Files below the folders that are no photos by their name."""
    faces_new: int = 0
    names_kept: int = 0
    """Names that humans gave to faces of files that changed or are gone, carried over to the same faces in
    what the files hold now, or in new ones."""
    names_lost: int = 0
    """Such names whose faces were not found again; ``image-search conflicts`` lists them."""
    seconds: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    unread_folders: list[Failure] = field(default_factory=list)

    @property
    def photos_failed(self) -> int:
        return len(self.failures)

    @property
    def waiting(self) -> list[Failure]:
        """Files, and folders, that the next run tries again."""
        return [failure for failure in [*self.failures, *self.unread_folders] if failure.waits]

    def waiting_reasons(self) -> dict[str, int]:
        """How many wait for each reason, the most frequent first."""
        return dict(Counter(failure.reason for failure in self.waiting).most_common())

    @property
    def photos_per_second(self) -> float:
        return self.photos_new / self.seconds if self.seconds else 0.0
