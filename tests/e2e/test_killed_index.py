"""Indexing that is killed, again and again, ends where indexing that is left alone ends."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from image_search_service.cli.output import Output
from image_search_service.core.config import Settings
from image_search_service.db.models import AssetPath, FaceInstance, ImageAsset
from image_search_service.demo.library import make_demo_library
from image_search_service.library.opening import Library, open_library

Indexer = Callable[[Path, Path, int], tuple[int, int]]
KILLS = 10


@pytest.fixture(scope="module")
def run_index() -> Iterator[Indexer]:
    """Index in a process of its own that dies at a step; exit status and number of steps."""
    command = [sys.executable, "-m", "tests.e2e.killed_index"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def run(library: Path, photos: Path, die_at: int) -> tuple[int, int]:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{library}\t{photos}\t{die_at}\n")
            process.stdin.flush()
            status, steps = process.stdout.readline().split()
            return int(status), int(steps)

        yield run
        process.kill()


def state(library: Path) -> dict[str, Any]:
    """Everything that a library holds, but for the moments and the ids that differ from run to run."""
    out = Output(as_json=True)
    with open_library(Settings(library=library), out.note, out.progress) as opened:
        return {**_rows(opened), **_points(opened), **_files(opened)}


def _rows(opened: Library) -> dict[str, Any]:
    with opened.database.read() as session:
        faces = session.scalars(select(FaceInstance).order_by(FaceInstance.id)).all()
        clusters: dict[Any, list[str]] = {}
        for face in faces:
            clusters.setdefault(face.cluster_id, []).append(str(face.id))
        return {
            "photos": session.execute(
                select(ImageAsset.id, ImageAsset.content_hash, ImageAsset.width, ImageAsset.failure).order_by(
                    ImageAsset.id
                )
            ).all(),
            "files": session.execute(
                select(AssetPath.path, AssetPath.asset_id, AssetPath.missing_since).order_by(AssetPath.path)
            ).all(),
            "faces": [(face.id, face.asset_id, face.box, face.quality_score) for face in faces],
            "noise": sorted(clusters.pop(None, [])),
            "clusters": sorted(clusters.values()),
            "due": sum(face.payload_sent != face.payload_version for face in faces),
        }


def _points(opened: Library) -> dict[str, Any]:
    points: dict[str, Any] = {}
    grouped: dict[Any, list[str]] = {}
    for page in opened.faces.scroll_faces(with_embeddings=True):
        for point_id, payload in page.payloads.items():
            points[str(point_id)] = (payload.asset_id, payload.quality_score, page.embeddings[point_id])
            grouped.setdefault(payload.cluster_id, []).append(str(point_id))
    grouped.pop(None, None)
    return {"points": points, "payload_clusters": sorted(sorted(ids) for ids in grouped.values())}


def _files(opened: Library) -> dict[str, Any]:
    folders = (opened.paths.crops, opened.paths.thumbnails)
    return {
        "derivatives": sorted(
            (path.name, path.stat().st_size) for folder in folders for path in folder.rglob("*.jpg")
        )
    }


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn library, bad files included."""
    folder = tmp_path_factory.mktemp("photos")
    make_demo_library(folder, faces=60)
    return folder


@pytest.mark.depth
def test_killed_again_and_again_it_ends_like_an_uninterrupted_run(
    tmp_path: Path, photos: Path, run_index: Indexer
) -> None:
    """After SIGKILLs at different moments, the next run completes what an uninterrupted run makes."""
    status, steps = run_index(tmp_path / "whole", photos, 0)
    assert status == 0
    for moment in random.Random(7).sample(range(1, steps), KILLS):  # noqa: S311 - moments, no secrets
        # A moment later than the steps that are left is not reached: then this run completes the work.
        assert run_index(tmp_path / "killed", photos, moment)[0] in (-signal.SIGKILL, 0)
    assert run_index(tmp_path / "killed", photos, 0)[0] == 0
    assert state(tmp_path / "killed") == state(tmp_path / "whole")


@pytest.mark.depth
def test_points_of_vanished_photos_do_not_stay_behind(
    tmp_path: Path, photos: Path, run_index: Indexer
) -> None:
    """What a killed run left in Qdrant alone is removed by the next one if its photo has gone meanwhile."""
    own = tmp_path / "photos"
    shutil.copytree(photos, own)
    steps = run_index(tmp_path / "whole", own, 0)[1]
    assert run_index(tmp_path / "killed", own, steps // 2)[0] == -signal.SIGKILL
    for photo in sorted(own.rglob("*.*"))[::2]:
        photo.unlink()
    assert run_index(tmp_path / "killed", own, 0)[0] == 0
    found = state(tmp_path / "killed")
    assert set(found["points"]) == {str(face[0]) for face in found["faces"]}
