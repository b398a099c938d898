"""Collection names and payload keys."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID, uuid4

import pytest

import image_search_service
from image_search_service.core.types import EngineIdentity
from image_search_service.vector import collections
from image_search_service.vector.collections import FacePayload, centroids_collection, faces_collection

ENGINE = EngineIdentity("opencv", "0ba9fbfa01b5270c", 128)
KEYS = [collections.FACE_INSTANCE_ID, collections.PERSON_ID, collections.CLUSTER_ID, collections.ASSET_ID]


def test_the_name_binds_a_collection_to_its_engine() -> None:
    """Two engines that differ in name, dimension or checksum never share a collection."""
    others = [
        EngineIdentity("dlib", ENGINE.checksum, 128),
        EngineIdentity("opencv", "ffa9fbfa01b5270c", 128),
        EngineIdentity("opencv", ENGINE.checksum, 512),
    ]
    names = {faces_collection(engine) for engine in [ENGINE, *others]}
    assert faces_collection(ENGINE) == "faces_opencv_128_0ba9fbfa"
    assert len(names) == 4


def test_libraries_on_one_server_are_kept_apart() -> None:
    """Two libraries with one engine have collections of their own, and centroids are apart from faces."""
    first, second = uuid4(), uuid4()
    names = {
        faces_collection(ENGINE, first),
        faces_collection(ENGINE, second),
        centroids_collection(ENGINE, first),
    }
    assert len(names) == 3


def test_a_payload_reads_back_as_it_was_written() -> None:
    """Nothing is lost between a payload and its JSON, and unknown values are left out."""
    full = FacePayload(uuid4(), uuid4(), uuid4(), uuid4(), 0.5, 0.9, recognizable=False, hidden=True)
    bare = FacePayload(uuid4(), uuid4())
    assert FacePayload.from_json(full.to_json()) == full
    assert FacePayload.from_json(bare.to_json()) == bare
    assert set(bare.to_json()) == {"face_instance_id", "asset_id"}


def test_a_foreign_payload_is_refused() -> None:
    """A payload with another key for the face, as the reviewed system had it, is an error."""
    with pytest.raises(KeyError):
        FacePayload.from_json({"face_id": str(UUID(int=1))})


def test_payload_keys_are_written_in_one_module() -> None:
    """No other module of ``vector`` spells a payload key."""
    folder = Path(image_search_service.__file__).parent / "vector"
    quoted = re.compile("|".join(f"[\"']{key}[\"']" for key in KEYS))
    guilty = [path.name for path in folder.glob("*.py") if quoted.search(path.read_text("utf-8"))]
    assert guilty == ["collections.py"]
