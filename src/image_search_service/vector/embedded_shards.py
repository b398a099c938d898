"""The folders of the embedded engine's shards: created atomically, opened once, locked by one process.

Two things that ``qdrant_edge`` 0.9 leaves to its caller are done here. Its log keeps everything since the
last flush and is read again at opening (40,000 points of 512 numbers: 100 MB and 2 s), so it is flushed as it
grows. And it writes to memory-mapped files, so that a full disk would end the process with SIGBUS.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import qdrant_edge as edge
from qdrant_client import models

from image_search_service.core.errors import DamagedCollectionError, UnavailableError
from image_search_service.core.lock import LibraryLock
from image_search_service.core.logging import get_logger
from image_search_service.vector import embedded_convert as convert
from image_search_service.vector.embedded_damage import GuardedEngine, damage_named, make_readable

log = get_logger(__name__)

_PARAMS = "collection.json"
"""The vectors' parameters, as the client gave them."""
_LOCK = "in-use.lock"
_UNFINISHED, _REMOVED = ".unfinished-", ".removed-"
SET_ASIDE = ".damaged"
"""Ends the name of a collection whose files are damaged, while what can be read of it is put into a new
one."""
_NAME = re.compile(r"[\w:-][\w.:-]{0,200}", re.ASCII)

_LOG_FILES = 2
"""Full log files (32 MB each) that may exist before a flush; the engine keeps the last of them."""

SPACE_NEEDED = 128 * 2**20
"""Bytes that must be free before a write: the log and each store of a segment grow by files of 32 MB."""


@dataclass(frozen=True, slots=True)
class Shard:
    """An open collection: its engine, and its vectors' parameters by name ('' if the vector has none)."""

    folder: Path
    engine: GuardedEngine
    vectors: Mapping[str, models.VectorParams]
    space_needed: int

    def update(self, operation: edge.UpdateOperation) -> None:
        """Returns once the operation is in the log.

        Raises UnavailableError when the disk is full, DamagedCollectionError, ValueError when another thread
        has removed the collection meanwhile.
        """
        try:
            _need_space(self.folder, self.space_needed)
            self.engine.update(operation)
            if sum(1 for _ in (self.folder / "shard" / "wal").glob("closed-*")) > _LOG_FILES:
                self.engine.flush()
        except FileNotFoundError as error:
            raise _not_found(self.folder.name) from error


class ShardFolder:
    """Collections below ``path``, each opened on first use; safe to share between threads.

    Raises LibraryInUseError, naming the process, when another one has ``path`` open.
    """

    def __init__(self, path: Path, space_needed: int) -> None:
        self._path = path
        self._space_needed = space_needed
        self._mutex = threading.RLock()
        self._open: dict[str, Shard] = {}
        self._closed = False
        self._held = LibraryLock(path / _LOCK)
        for left in [*path.glob(f"{_UNFINISHED}*"), *path.glob(f"{_REMOVED}*")]:
            shutil.rmtree(left)

    def close(self) -> None:
        """Write everything to disk and let the next process in. Whoever still uses a shard gets an error."""
        with self._mutex:
            self._closed = True
            while self._open:
                self._close(self._open.popitem()[1])
            self._held.release()

    def _close(self, shard: Shard) -> None:
        try:
            shard.engine.close()
        except DamagedCollectionError as error:  # said by whoever reads or writes it
            log.warning("A collection was not closed properly", error=error.message)

    def names(self) -> list[str]:
        self._check_open()
        return sorted(params.parent.name for params in self._path.glob(f"*/{_PARAMS}"))

    def has(self, name: str) -> bool:
        """Whether there is a collection, even if its files are damaged."""
        self._check_open()
        return self._folder(name).is_dir()

    def create(self, name: str, vectors: Mapping[str, models.VectorParams]) -> None:
        """Create a collection under a temporary name first, so that a folder of the right name is complete.

        Raises ValueError when there is one of that name, UnavailableError when the disk is full.
        """
        with self._mutex:
            if self.has(name):
                raise ValueError(f"Collection {name} already exists")
            _need_space(self._path, self._space_needed)
            unfinished = self._path / f"{_UNFINISHED}{name}"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            edge.EdgeShard.create(str(unfinished / "shard"), _config(vectors)).close()
            _write_params(unfinished / _PARAMS, vectors)
            unfinished.replace(self._folder(name))

    def remove(self, name: str) -> bool:
        """Remove a collection; returns whether it existed. Threads that use it get an error from its closed
        engine."""
        with self._mutex:
            if not self.has(name):
                return False
            if name in self._open:
                self._close(self._open.pop(name))
            removed = self._path / f"{_REMOVED}{name}"
            shutil.rmtree(removed, ignore_errors=True)
            self._folder(name).replace(removed)
            shutil.rmtree(removed)
        return True

    def set_aside(self, name: str, vectors: Mapping[str, models.VectorParams]) -> str | None:
        """Give the files of a damaged collection another name, under which its points can be read by id;
        None if they cannot. What an earlier call has set aside, and nobody has removed since, stays
        instead."""
        aside = f"{name}{SET_ASIDE}"
        with self._mutex:
            if self.has(aside):
                self.remove(name)
            elif self.has(name):
                if name in self._open:
                    self._close(self._open.pop(name))
                self._folder(name).replace(self._folder(aside))
            _write_params(self._folder(aside) / _PARAMS, vectors)
            if not make_readable(self._folder(aside) / "shard", _config(vectors)):
                self.remove(aside)
                return None
        return aside

    def shard(self, name: str) -> Shard:
        """The shard of a collection, opened on first use. Raises ValueError when there is no such
        collection, DamagedCollectionError when it cannot be read."""
        with self._mutex:
            self._check_open()
            if name not in self._open:
                if not self.has(name):
                    raise _not_found(name)
                folder = self._folder(name)
                with damage_named(name):
                    engine = edge.EdgeShard.load(str(folder / "shard"))
                guarded, vectors = GuardedEngine(name, engine), _read_params(folder / _PARAMS)
                self._open[name] = Shard(folder, guarded, vectors, self._space_needed)
            return self._open[name]

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError(f"The vector store {self._path} is closed.")

    def _folder(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError(f"Invalid collection name {name!r}: letters, digits and .:_- may be in it")
        return self._path / name


def _config(vectors: Mapping[str, models.VectorParams]) -> edge.EdgeConfig:
    return edge.EdgeConfig({key: convert.vector_params(params) for key, params in vectors.items()})


def _not_found(name: str) -> ValueError:
    """The error that qdrant-client's local mode raises."""
    return ValueError(f"Collection {name} not found")


def _write_params(path: Path, vectors: Mapping[str, models.VectorParams]) -> None:
    """Write the parameters to disk before the folder gets its final name; without them it cannot be
    opened."""
    params = {name: vector.model_dump(mode="json", exclude_none=True) for name, vector in vectors.items()}
    with path.open("w", encoding="utf-8") as file:
        json.dump({"vectors": params}, file)
        file.flush()
        os.fsync(file.fileno())


def _read_params(path: Path) -> dict[str, models.VectorParams]:
    """Raises DamagedCollectionError."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))["vectors"]
        return {name: models.VectorParams(**params) for name, params in stored.items()}
    except (FileNotFoundError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise DamagedCollectionError(path.parent.name, f"{path.name} cannot be read") from error


def _need_space(path: Path, needed: int) -> None:
    free = shutil.disk_usage(path).free
    if free < needed:
        raise UnavailableError(
            f"The disk of {path} is nearly full: {free // 2**20} MB are free, "
            f"and {needed // 2**20} MB are needed to write safely.",
            hint="Free some space and start again; nothing that was stored is lost.",
        )
