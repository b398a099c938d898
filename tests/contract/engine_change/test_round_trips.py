"""What a move asks of both stores follows batches, not faces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from image_search_service.demo.library import make_demo_library
from image_search_service.library.opening import Library
from image_search_service.services.engine_change import service as service_module
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.indexing.indexer import IndexService
from tests.contract.engine_change.moved_library import decide, faces, groups, move
from tests.contract.engine_change.other_engine import OtherEngine
from tests.support.round_trips import RoundTrips, round_trips
from tests.support.stores import library_on

STAGING = ("BEGIN", "INSERT INTO staged_photos", "INSERT INTO staged_faces")
"""The statements of a batch of photos that were found anew."""


@contextmanager
def library_of(album: Path, folder: Path) -> Iterator[Library]:
    """A grouped library of drawn faces in which somebody has a name."""
    with library_on("embedded", folder) as opened:
        IndexService(opened.stores).index([album])
        FaceClusteringService(opened.stores).group()
        decide(opened).name_cluster(str(groups(opened)[0][0]), "Ada")
        opened.payload_sender.send()
        yield opened


def moved(album: Path, folder: Path) -> tuple[int, RoundTrips]:
    """Faces of a library that is moved, and what that asked of the stores."""
    with library_of(album, folder) as opened:
        count = len(faces(opened))
        with round_trips(opened.database.engine) as trips:
            move(opened)
        return count, trips


@pytest.mark.depth
def test_more_faces_in_a_batch_take_no_more_round_trips(
    tmp_path: Path, drawn: Path, other: OtherEngine
) -> None:
    """Twice the faces, still one batch of each kind, take the same statements and requests."""
    make_demo_library(tmp_path / "album", faces=130)
    few, small = moved(drawn, tmp_path / "small")
    many, large = moved(tmp_path / "album", tmp_path / "large")
    assert many > 2 * few
    assert large.qdrant == small.qdrant
    assert large.statements == small.statements


@pytest.mark.depth
def test_each_further_batch_takes_a_request_and_a_transaction(
    tmp_path: Path, drawn: Path, other: OtherEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Smaller batches of photos add one request and the statements of one transaction each."""
    _, whole = moved(drawn, tmp_path / "whole")
    monkeypatch.setattr(service_module, "STORE_BATCH", 8)
    _, parts = moved(drawn, tmp_path / "parts")
    further = parts.qdrant["upsert"] - whole.qdrant["upsert"]
    assert further > 0
    assert parts.qdrant - whole.qdrant == {"upsert": further}
    assert parts.statements - whole.statements == further * len(STAGING)
