"""Lists the groups that went wrong (people mixed, people split, faces left out) and the precision of the
surest groups."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from image_search_service.db.queries.evaluation import clusters
from image_search_service.db.session import Database
from image_search_service.services.evaluation.service import central_faces, identity

Face = clusters.FaceInPhoto


@dataclass(frozen=True, slots=True)
class NamedFace:
    """A face and who it is, as the folder's name says."""

    face_id: uuid.UUID
    person: str
    file: str


@dataclass(frozen=True, slots=True)
class MixedGroup:
    """A group that shows several people. wrong_pairs: pairs of two people in it. faces: the most frequent
    person's last, so that who does not belong comes first."""

    wrong_pairs: int
    people: Mapping[str, int]
    faces: Sequence[NamedFace]


@dataclass(frozen=True, slots=True)
class SplitPerson:
    """A person in several groups. missing_pairs: pairs of their faces that are not together. parts: the faces
    of each group, the largest first; a face that is alone is a part."""

    missing_pairs: int
    person: str
    parts: Sequence[Sequence[NamedFace]]


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The surest groups that hold ``coverage`` of all faces; of the faces in them ``precision`` are of their
    group's most frequent person."""

    coverage: float
    precision: float


@dataclass(frozen=True, slots=True)
class Mistakes:
    """Each list has the worst first. alone: faces in no group, though the person has others.
    unrecognizable: faces that the engine's rule leaves out."""

    mixed: Sequence[MixedGroup]
    split: Sequence[SplitPerson]
    alone: Sequence[NamedFace]
    unrecognizable: Sequence[NamedFace]
    curve: Sequence[CurvePoint]


def find_mistakes(database: Database, folder: Path) -> Mistakes:
    """Compare the clusters of a library, made of nothing but ``folder``, with its sub-folders."""
    with database.read() as session:
        faces = central_faces(clusters.located_clusters(session))
        confidences = clusters.cluster_confidences(session)
    named = [(face, NamedFace(face.face_id, identity(face.path, folder), face.path.name)) for face in faces]
    groups: dict[uuid.UUID, list[NamedFace]] = defaultdict(list)
    people: dict[str, dict[uuid.UUID, list[NamedFace]]] = defaultdict(lambda: defaultdict(list))
    for face, named_face in named:
        if face.cluster_id is not None:
            groups[face.cluster_id].append(named_face)
        people[named_face.person][face.cluster_id or face.face_id].append(named_face)
    alone = [
        named_face
        for face, named_face in named
        if face.cluster_id is None and len(people[named_face.person]) > 1
    ]
    return Mistakes(
        mixed=_mixed(groups.values()),
        split=_split(people),
        alone=alone,
        unrecognizable=[named_face for face, named_face in named if not face.recognizable],
        curve=_curve([(confidences[key], faces) for key, faces in groups.items()], len(named)),
    )


def _mixed(groups: Iterable[Sequence[NamedFace]]) -> list[MixedGroup]:
    mixed = []
    for faces in groups:
        counts = Counter(face.person for face in faces)
        if len(counts) > 1:
            wrong = (len(faces) ** 2 - sum(count**2 for count in counts.values())) // 2
            rarest_first = sorted(faces, key=lambda face: (counts[face.person], face.person))
            mixed.append(MixedGroup(wrong, dict(counts.most_common()), rarest_first))
    return sorted(mixed, key=lambda group: -group.wrong_pairs)


def _split(people: Mapping[str, Mapping[uuid.UUID, Sequence[NamedFace]]]) -> list[SplitPerson]:
    split = []
    for person, by_group in people.items():
        parts = sorted(by_group.values(), key=len, reverse=True)
        if len(parts) > 1:
            total = sum(map(len, parts))
            missing = (total**2 - sum(len(part) ** 2 for part in parts)) // 2
            split.append(SplitPerson(missing, person, parts))
    return sorted(split, key=lambda person: -person.missing_pairs)


def _curve(groups: Sequence[tuple[float, Sequence[NamedFace]]], faces: int) -> list[CurvePoint]:
    """Groups of two scored faces and more, the most alike first."""
    covered = right = 0
    points = []
    for _, members in sorted(groups, key=lambda group: -group[0]):
        if len(members) > 1:
            covered += len(members)
            right += Counter(face.person for face in members).most_common(1)[0][1]
            points.append(CurvePoint(round(covered / faces, 4), round(right / covered, 4)))
    return points
