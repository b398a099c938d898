"""Turns search results into candidates for suggestions. Pure functions."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from image_search_service.core.types import JsonObject
from image_search_service.vector.collections import FaceMatch

EvidenceKey = Literal["face_instance_id", "centroid_id"]
"""The kinds of evidence: a prototype's face, or a centroid."""


@dataclass(frozen=True, slots=True)
class Source:
    """An embedding that was searched with, and the person it represents."""

    person_id: uuid.UUID
    key: EvidenceKey
    id: uuid.UUID
    point_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class SecondBest:
    """The other person whose centroid is most similar to a face.

    margin: similarity to the suggested person's centroid minus ``similarity``; None if they have none.
    """

    person_id: uuid.UUID
    similarity: float
    margin: float | None


@dataclass(slots=True)
class Candidate:
    """A face that resembles a person. evidence: each source with its similarity, the best first.

    threshold: the minimum similarity of the search, −1 to 1.
    """

    face_id: uuid.UUID
    person_id: uuid.UUID
    evidence: list[JsonObject] = field(default_factory=list)
    threshold: float | None = None
    second: SecondBest | None = None

    @property
    def confidence(self) -> float:
        """The best similarity of the evidence, −1 to 1."""
        return float(self.evidence[0]["similarity"])


def candidates(sources: Sequence[Source], results: Sequence[Sequence[FaceMatch]]) -> list[Candidate]:
    """One candidate for each pair of person and face found: by person, best first, equal ones by id."""
    pairs: dict[tuple[uuid.UUID, uuid.UUID], Candidate] = {}
    for source, matches in zip(sources, results, strict=True):
        for match in matches:
            face_id = match.payload.face_instance_id
            pair = pairs.setdefault((source.person_id, face_id), Candidate(face_id, source.person_id))
            pair.evidence.append({source.key: str(source.id), "similarity": match.score})
    for pair in pairs.values():
        pair.evidence = best_first(pair.evidence)
    return sorted(
        pairs.values(), key=lambda candidate: (candidate.person_id, -candidate.confidence, candidate.face_id)
    )


def best_first(evidence: Iterable[JsonObject]) -> list[JsonObject]:
    """Evidence with the most similar first, equal ones by id."""
    return sorted(evidence, key=lambda item: (-item["similarity"], _source_id(item)))


def merged(old: Iterable[JsonObject], new: Sequence[JsonObject]) -> list[JsonObject]:
    """Old and new evidence; new evidence replaces the old of its kind, since centroids may be retired."""
    kinds = {key for item in new for key in item if key != "similarity"}
    return best_first([*(item for item in old if not kinds & item.keys()), *new])


def _source_id(item: JsonObject) -> str:
    return str(item.get("face_instance_id") or item.get("centroid_id"))
