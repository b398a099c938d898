"""Which folders and files are left out: excludes of the roots, ``.image-search-ignore`` and ``.nomedia``.

Excludes have gitignore's form and are relative to the folder that has them. Of several that speak of a path,
the one in the deepest folder counts. What lies in a folder that is left out is not looked at, so that nothing
in it can be taken in again, as with Git.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from pathspec import GitIgnoreSpec

from image_search_service.core.errors import InvalidInputError

NO_MEDIA: Final = ".nomedia"
"""A folder with such a file is left out, as Android does."""
IGNORE_FILE: Final = ".image-search-ignore"

Rules = tuple[tuple[str, GitIgnoreSpec], ...]
"""Folders with what they leave out, the deepest first."""


def checked_excludes(lines: Sequence[str]) -> list[str]:
    """The lines without empty ones. Raises InvalidInputError for one that has not gitignore's form."""
    kept = [line.strip() for line in lines if line.strip()]
    for line in kept:
        if "\n" in line or "\r" in line or not _is_pattern(line):
            raise InvalidInputError(
                f"{line!r} has not the form of a line in .gitignore.",
                hint="Write a name (Trash), a folder (raw/), a path (/2019/drafts) or a pattern (*.png).",
            )
    return kept


class Excludes:
    """What a scan leaves out. roots: the library's folders, each with its excludes."""

    def __init__(self, roots: Mapping[Path, Sequence[str]]) -> None:
        self._roots = {os.fspath(root): _spec(lines) for root, lines in roots.items()}
        self._rules: dict[str, Rules] = {}
        self.paths: set[str] = set()
        """Folders and files that were left out."""

    def enter(self, folder: str, names: Collection[str]) -> bool:
        """Read what a folder leaves out; False if it is left out itself. names: those in it.

        Raises OSError if its ignore file cannot be read.
        """
        above = self._above(folder)
        if (
            NO_MEDIA in names
            or self._is_below_excluded(folder)
            or _is_left_out(above, folder, is_folder=True)
        ):
            self.paths.add(folder)
            return False
        self._rules[folder] = self._own(folder, has_file=IGNORE_FILE in names) + above
        return True

    def leaves_out(self, folder: str, path: str) -> bool:
        """Whether a file in a folder that was entered is left out."""
        if not _is_left_out(self._rules[folder], path, is_folder=False):
            return False
        self.paths.add(path)
        return True

    def has_left_out(self, path: Path) -> bool:
        """Whether a path, or a folder above it, was left out."""
        name = os.fspath(path)
        return name in self.paths or any(above in self.paths for above in _folders_above(name))

    def _above(self, folder: str) -> Rules:
        """The rules of the folders above; where a scan begins in the middle, from the root down."""
        parent = os.path.dirname(folder)  # noqa: PTH120 - a hundred thousand folders are strings
        if parent in self._rules:
            return self._rules[parent]
        tops = [above for above in _folders_above(folder) if above in self._roots]
        if not tops:
            return ()
        rules: Rules = ()
        for above in reversed(list(_folders_above(folder))):
            if len(above) < len(tops[-1]):
                continue
            if os.path.lexists(os.path.join(above, NO_MEDIA)) or _is_left_out(rules, above, is_folder=True):  # noqa: PTH118
                self.paths.add(above)
            rules = self._own(above, has_file=os.path.lexists(os.path.join(above, IGNORE_FILE))) + rules  # noqa: PTH118
        return rules

    def _is_below_excluded(self, folder: str) -> bool:
        return bool(self.paths) and any(above in self.paths for above in _folders_above(folder))

    def _own(self, folder: str, *, has_file: bool) -> Rules:
        """A file in the folder goes before what was said of it as a root."""
        rules: Rules = ()
        if has_file:
            text = Path(folder, IGNORE_FILE).read_bytes().decode("utf-8-sig", "surrogateescape")
            rules = ((folder, _spec(text.splitlines())),)
        return (*rules, (folder, self._roots[folder])) if folder in self._roots else rules


def _spec(lines: Sequence[str]) -> GitIgnoreSpec:
    """Lines that have not gitignore's form are passed over, as Git does."""
    return GitIgnoreSpec.from_lines([line for line in lines if _is_pattern(line)])


def _is_pattern(line: str) -> bool:
    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True


def _is_left_out(rules: Rules, path: str, *, is_folder: bool) -> bool:
    for folder, spec in rules:
        relative = path[len(folder.rstrip(os.sep)) + 1 :] + (os.sep if is_folder else "")
        said = spec.check_file(relative).include
        if said is not None:
            return said
    return False


def _folders_above(path: str) -> Iterator[str]:
    """From the nearest one up."""
    while (parent := os.path.dirname(path)) != path:  # noqa: PTH120
        yield parent
        path = parent
