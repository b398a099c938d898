"""Damage in the embedded engine's files: how it is noticed, and how what can be read is made readable again.

The engine has no checksums. It says that it cannot read a file in a plain ``Exception``, or panics, which
Python gets as an error that is no ``Exception`` and so ends the thread of a worker; and it answers from an
index that says something else than the points.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import qdrant_edge as edge

from image_search_service.core.errors import DamagedCollectionError

_OF_FILES: Final = re.compile(r"^Service (runtime|internal) error: (?!Shard is not initialized)")
_MAY_PASS: Final = re.compile(r"WouldBlock|os error (11|12|13|23|24|28|30)\b")
"""Another process has it open; no memory, no right, too many files, a disk that is full or not to be
written."""
_PAGE: Final = 1_000


@contextmanager
def damage_named(collection: str) -> Iterator[None]:
    """Raises DamagedCollectionError for what the engine says of its files inside the block, and for its
    panics."""
    try:
        yield
    except BaseException as error:
        if _is_damage(error):
            raise DamagedCollectionError(collection, _reason(error)) from error
        raise


class GuardedEngine:
    """The engine of one shard; its calls raise what ``damage_named`` does."""

    def __init__(self, collection: str, engine: edge.EdgeShard) -> None:
        self._collection = collection
        self._engine = engine

    def __getattr__(self, method: str) -> Callable[..., Any]:
        call: Callable[..., Any] = getattr(self._engine, method)

        @wraps(call)
        def guarded(*arguments: Any) -> Any:
            with damage_named(self._collection):
                return call(*arguments)

        return guarded


def _is_damage(error: BaseException) -> bool:
    if type(error).__name__ == "PanicException":  # pyo3's, which no module has
        return True
    text = str(error)
    return type(error) is Exception and bool(_OF_FILES.search(text)) and not _MAY_PASS.search(text)


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split())[:200].rstrip(".")


def wrong_indexes(engine: GuardedEngine) -> list[str]:
    """Read every point, and compare the payloads with what the indexes say: the keys whose index says
    something else. A request for each thousand points and two for each index. Raises
    DamagedCollectionError."""
    schema = engine.info().payload_schema
    total, stored = _stored_values(engine, list(schema))
    return [
        key
        for key, index in schema.items()
        if (kind := _KINDS.get(index.data_type)) is not None
        and not _agrees(engine, key, _of_kind(stored[key], kind), total - stored[key].total(), kind)
    ]


_KINDS: Final = {
    edge.PayloadSchemaType.Uuid: (str,),
    edge.PayloadSchemaType.Bool: (bool,),
    edge.PayloadSchemaType.Float: (float, int),
}
"""What the values of this program's indexes are."""


def _stored_values(engine: GuardedEngine, keys: list[str]) -> tuple[int, dict[str, Counter[Any]]]:
    """How many points there are, and how many have each value, by key."""
    total, counts = 0, {key: Counter[Any]() for key in keys}
    offset: Any = None
    while True:
        request = edge.ScrollRequest(offset=offset, limit=_PAGE, with_payload=True, with_vector=True)
        records, offset = engine.scroll(request)
        total += len(records)
        for payload in (record.payload or {} for record in records):
            for key in keys & payload.keys():
                counts[key][payload[key]] += 1
        if offset is None:
            return total, counts


def _of_kind(stored: Counter[Any], kind: tuple[type, ...]) -> Counter[Any]:
    """Others are in no index."""
    return Counter({value: number for value, number in stored.items() if isinstance(value, kind)})


def _agrees(
    engine: GuardedEngine, key: str, stored: Counter[Any], without: int, kind: tuple[type, ...]
) -> bool:
    """Whether the index of a key counts as many points without a value, and as many with each."""
    if _count(engine, edge.FieldCondition(key, is_empty=True)) != without:
        return False
    if float in kind:  # of which an index has no list
        middle = sorted(stored)[len(stored) // 2] if stored else 0.0
        above = sum(number for value, number in stored.items() if value >= middle)
        return _count(engine, edge.FieldCondition(key, range=edge.RangeFloat(gte=middle))) == above
    hits = engine.facet(edge.FacetRequest(key, limit=len(stored) + 1, exact=True)).hits
    return {hit.value: hit.count for hit in hits if hit.count} == stored


def _count(engine: GuardedEngine, condition: edge.FieldCondition) -> int:
    number: int = engine.count(edge.CountRequest(True, edge.Filter(must=[condition])))
    return number


# What can be read


def make_readable(shard: Path, config: edge.EdgeConfig) -> bool:
    """Whether the shard's points can be read by id, after what is not needed for that was made anew:
    payloads and indexes first, then the log, which has what was not yet written elsewhere."""
    for renew in (_nothing, _renew_descriptions, _remove_log):
        renew(shard, config)
        try:
            with damage_named(shard.parent.name):
                edge.EdgeShard.load(str(shard)).close()
        except DamagedCollectionError:
            continue
        return True
    return False


def _nothing(_shard: Path, _config: edge.EdgeConfig) -> None:
    """As it is."""


def _renew_descriptions(shard: Path, config: edge.EdgeConfig) -> None:
    """All but vectors and ids, as in an empty shard."""
    with TemporaryDirectory(dir=shard.parent) as folder:
        edge.EdgeShard.create(folder, config).close()
        (new,) = (Path(folder) / "segments").iterdir()
        for segment in (shard / "segments").iterdir():
            for name in ("payload_index", "payload_storage"):
                shutil.rmtree(segment / name, ignore_errors=True)
            for name in ("segment.json", "version.info"):
                shutil.copy(new / name, segment / name)
        shutil.copy(Path(folder) / "edge_config.json", shard / "edge_config.json")


def _remove_log(shard: Path, _config: edge.EdgeConfig) -> None:
    shutil.rmtree(shard / "wal", ignore_errors=True)
