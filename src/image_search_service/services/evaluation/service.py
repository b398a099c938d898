"""Measures grouping on photos of known people: one folder for each person."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from image_search_service.core.errors import InvalidInputError
from image_search_service.core.types import IntArray, JsonObject
from image_search_service.db.queries.evaluation import clusters
from image_search_service.db.session import Database
from image_search_service.recognition.evaluation import PrecisionRecall, Scores, score_clustering


@dataclass(frozen=True, slots=True)
class Evaluation:
    """scores: BCubed, pairwise, purity and coverage over ``faces`` faces, one of each photo."""

    scores: Scores
    faces: int
    identities: int
    photos_without_face: int

    def scores_document(self) -> JsonObject:
        """The scores to four places, by name."""
        return {
            "pairwise": _rounded(self.scores.pairwise),
            "bcubed": _rounded(self.scores.bcubed),
            "purity": round(self.scores.purity, 4),
            "coverage": round(self.scores.coverage, 4),
            "clusters": self.scores.clusters,
        }


def _rounded(score: PrecisionRecall) -> dict[str, float]:
    return {
        "precision": round(score.precision, 4),
        "recall": round(score.recall, 4),
        "f": round(score.f, 4),
    }


def evaluate_library(database: Database, folder: Path, photos: int) -> Evaluation:
    """Compare the clusters of a library, made of nothing but ``folder``, with its sub-folders.

    Of each photo the face nearest the middle counts as the person after whom the folder is named; a face
    in no cluster counts as a cluster of one. Raises InvalidInputError if the folder shows nobody.
    """
    with database.read() as session:
        faces = central_faces(clusters.located_clusters(session))
    if not faces:
        raise InvalidInputError(
            f"No face was found in {folder}.", hint="It should hold one folder of photos for each person."
        )
    truth = codes([identity(face.path, folder) for face in faces])
    labels = codes([face.cluster_id if face.cluster_id is not None else face.face_id for face in faces])
    return Evaluation(
        scores=score_clustering(truth, labels),
        faces=len(faces),
        identities=int(truth.max()) + 1,
        photos_without_face=photos - len(faces),
    )


def central_faces(faces: Iterable[clusters.FaceInPhoto]) -> list[clusters.FaceInPhoto]:
    """Of each file the face whose middle is nearest the photo's."""
    nearest: dict[Path, clusters.FaceInPhoto] = {}
    for face in faces:
        best = nearest.get(face.path)
        if best is None or _off_center(face) < _off_center(best):
            nearest[face.path] = face
    return list(nearest.values())


def _off_center(face: clusters.FaceInPhoto) -> float:
    x, y = face.box.center
    return math.hypot(x - face.width / 2, y - face.height / 2)


def identity(path: Path, folder: Path) -> str:
    """The name of the folder, directly below ``folder``, that the photo lies in."""
    return path.relative_to(folder).parts[0]


def codes(values: Sequence[object]) -> IntArray:
    """A number for each different value, in the order in which they appear."""
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.int64)
