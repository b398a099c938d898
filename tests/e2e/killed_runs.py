"""Runs that die at a step, and what a library holds after them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select

from image_search_service.cli.output import Output
from image_search_service.core.config import Settings
from image_search_service.db.models import AssetPath, FaceInstance, ImageAsset
from image_search_service.library.opening import Library, open_library

Run = Callable[..., tuple[int, int]]
"""Arguments of a run, the last one the step at which it dies (0: never) → exit status and number of steps."""


@contextmanager
def runs_of(module: str) -> Iterator[Run]:
    """Runs in processes of their own, which a process of ``module`` forks (see ``killed_index.answer``)."""
    command = [sys.executable, "-m", module]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def run(*arguments: Path | int) -> tuple[int, int]:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("\t".join(map(str, arguments)) + "\n")
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
            "faces": [
                (face.id, face.asset_id, face.box, face.quality_score, face.person_id, face.is_face)
                for face in faces
            ],
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
    """Thumbnails and crops, and what was left of them half written."""
    folders = (opened.paths.crops, opened.paths.thumbnails)
    return {
        "derivatives": sorted(
            (path.name, path.stat().st_size) for folder in folders for path in folder.rglob("*.jpg")
        )
    }
