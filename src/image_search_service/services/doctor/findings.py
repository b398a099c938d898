"""The kinds of findings between SQL, Qdrant and the files, and their texts. Pure functions."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeVar
from uuid import UUID

from image_search_service.core.types import JsonObject
from image_search_service.db.queries.doctor.expected import CentroidTruth, FaceTruth
from image_search_service.db.queries.suggestions.centroids import ACTIVE
from image_search_service.vector.collections import CLUSTER_ID, HIDDEN, PERSON_ID, FacePayload
from image_search_service.vector.stored_points import StoredPoint

EXAMPLES = 20
"""The most examples of each kind; further findings are only counted."""
SAME_NUMBER = 1e-6
"""Scores that differ by less are the same; JSON may cost the last digit."""


class Kind(StrEnum):
    """Kinds of findings, in the order in which they are shown."""

    DAMAGED_DATABASE = "damaged_database"
    COPIED_LIBRARY = "copied_library"
    NOT_AS_DECIDED = "not_as_decided"
    MISCOUNTED = "miscounted"
    DAMAGED_FILES = "damaged_files"
    WRONG_COLLECTION = "wrong_collection"
    MISSING_INDEX = "missing_index"
    FACE_WITHOUT_POINT = "face_without_point"
    FACE_WITHOUT_EMBEDDING = "face_without_embedding"
    POINT_WITHOUT_FACE = "point_without_face"
    WRONG_PAYLOAD = "wrong_payload"
    CENTROID_WITHOUT_POINT = "centroid_without_point"
    WRONG_CENTROID = "wrong_centroid"
    POINT_WITHOUT_CENTROID = "point_without_centroid"
    STALE_CENTROID = "stale_centroid"
    MISSING_CROP = "missing_crop"
    MISSING_THUMBNAIL = "missing_thumbnail"
    ORPHANED_CROP = "orphaned_crop"
    ORPHANED_THUMBNAIL = "orphaned_thumbnail"
    ORPHANED_PICTURE = "orphaned_picture"
    OPEN_TO_OTHERS = "open_to_others"
    UNLIKE_THE_OTHERS = "unlike_the_others"


HINTS = frozenset({Kind.UNLIKE_THE_OTHERS})
"""Kinds that may be right as they are: only a human can say, and the library is healthy with them."""

HARMLESS = HINTS | {Kind.STALE_CENTROID}
"""Kinds with which the library is healthy: whoever needs a stale centroid computes it again."""


@dataclass(frozen=True, slots=True)
class FindingText:
    """The texts of a kind of finding: what is wrong, and what ``--repair`` does about it."""

    what: str
    mend: str


_EMBED_AGAIN = "embeds the face again from its photo"
_COMPUTE_AGAIN = "computes the centroid again"
_MAKE_AGAIN = "makes it again from the photo"
_DELETE_FILE = "deletes the file"

WORDS: Mapping[Kind, FindingText] = {
    Kind.DAMAGED_DATABASE: FindingText(
        "SQLite's own check finds its file damaged; nothing else was compared with it.",
        "makes the indexes again; damaged rows have to come from a backup",
    ),
    Kind.COPIED_LIBRARY: FindingText(
        "Another copy of this library uses the same stores; nothing was compared.",
        "changes nothing; say which one this is with --is original or --is copy",
    ),
    Kind.NOT_AS_DECIDED: FindingText(
        "The database says something else of these faces and persons than what was decided of them.",
        "brings the database to what follows from the decisions",
    ),
    Kind.MISCOUNTED: FindingText(
        "A kept count or state of these persons, photos or suggestions is not what it counts.",
        "counts again",
    ),
    Kind.DAMAGED_FILES: FindingText(
        "The embedded Qdrant cannot read its files.",
        "makes the collection anew, from what can be read, the last backup and the photos",
    ),
    Kind.WRONG_COLLECTION: FindingText(
        "A collection in Qdrant cannot hold this library's embeddings.",
        "makes the collection anew and fills it from the photos",
    ),
    Kind.MISSING_INDEX: FindingText(
        "Qdrant has no index for these keys that searches filter by; they are slow, or refused.",
        "makes the index",
    ),
    Kind.FACE_WITHOUT_POINT: FindingText(
        "Qdrant does not have these faces; no search finds them.", _EMBED_AGAIN
    ),
    Kind.FACE_WITHOUT_EMBEDDING: FindingText(
        "Qdrant has these faces without an embedding that can be used.", _EMBED_AGAIN
    ),
    Kind.POINT_WITHOUT_FACE: FindingText(
        "Qdrant has points that are no face of this library.", "deletes the point"
    ),
    Kind.WRONG_PAYLOAD: FindingText(
        "Qdrant says something else of these faces than the database.", "writes what the database says"
    ),
    Kind.CENTROID_WITHOUT_POINT: FindingText(
        "Qdrant does not have these persons' centroids.", _COMPUTE_AGAIN
    ),
    Kind.WRONG_CENTROID: FindingText(
        "Qdrant has these persons' centroids, but not as they should be.", _COMPUTE_AGAIN
    ),
    Kind.POINT_WITHOUT_CENTROID: FindingText("Qdrant has centroids without a person.", "deletes the point"),
    Kind.STALE_CENTROID: FindingText(
        "These persons' centroids were computed from other faces than they have now.", _COMPUTE_AGAIN
    ),
    Kind.MISSING_CROP: FindingText("The small picture of these faces is not there or empty.", _MAKE_AGAIN),
    Kind.MISSING_THUMBNAIL: FindingText(
        "The small picture of these photos is not there or empty.", _MAKE_AGAIN
    ),
    Kind.ORPHANED_CROP: FindingText("There are small pictures of faces that do not exist.", _DELETE_FILE),
    Kind.ORPHANED_THUMBNAIL: FindingText(
        "There are small pictures of photos that do not exist.", _DELETE_FILE
    ),
    Kind.ORPHANED_PICTURE: FindingText(
        "There are larger pictures of photos or faces that do not exist.", _DELETE_FILE
    ),
    Kind.OPEN_TO_OTHERS: FindingText(
        "Other users of this machine have rights on these files and folders of the library.",
        "leaves the rights to their owner alone",
    ),
    Kind.UNLIKE_THE_OTHERS: FindingText(
        "These faces do not resemble their person's other faces that a human named.",
        "changes nothing; undo the decision if it was wrong",
    ),
}


@dataclass(frozen=True, slots=True)
class DoctorProblem:
    """One thing that is wrong, and where."""

    kind: Kind
    example: str


@dataclass(slots=True)
class Finding:
    """All of a kind. examples: at most ``EXAMPLES``; reasons: why so many could not be repaired."""

    kind: Kind
    found: int = 0
    repaired: int = 0
    examples: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


_CHECKED = dict.fromkeys(("facts", "faces", "points", "centroids", "files", "names"), 0)


@dataclass(slots=True)
class DoctorReport:
    """What a check found, by kind, and what was repaired.

    checked: how many ``facts`` (that humans decided on), ``faces``, ``points``, ``centroids``, ``files`` and
    ``names`` (faces that humans placed) were looked at. waiting: what is not wrong, but not finished either:
    ``payloads`` that Qdrant is still to be told, ``points`` and ``files`` of an index run that has not ended.
    """

    findings: dict[Kind, Finding] = field(default_factory=dict)
    checked: Counter[str] = field(default_factory=lambda: Counter(_CHECKED))
    waiting: Counter[str] = field(default_factory=lambda: Counter(payloads=0, points=0, files=0))
    seconds: float = 0.0

    @property
    def is_healthy(self) -> bool:
        """Whether nothing is wrong any more."""
        return all(
            finding.repaired >= finding.found
            for kind, finding in self.findings.items()
            if kind not in HARMLESS
        )

    @property
    def shown(self) -> list[Finding]:
        """What was found, in the order of the kinds."""
        return [self.findings[kind] for kind in Kind if kind in self.findings]

    def add(self, problems: Iterable[DoctorProblem]) -> None:
        for problem in problems:
            finding = self._finding(problem.kind)
            finding.found += 1
            if len(finding.examples) < EXAMPLES:
                finding.examples.append(problem.example)

    def add_counted(self, kind: Kind, number: int, examples: Sequence[str]) -> None:
        """Note so many of a kind that somebody else counted."""
        if number:
            finding = self._finding(kind)
            finding.found += number
            finding.examples += examples[: EXAMPLES - len(finding.examples)]

    def repair(self, kind: Kind, number: int) -> None:
        """Note that so many were repaired: never more than are known to have been wrong."""
        if number:
            finding = self._finding(kind)
            finding.repaired += number
            finding.found = max(finding.found, finding.repaired)

    def give_up(self, kind: Kind, reason: str) -> None:
        """Note why one cannot be repaired."""
        reasons = self._finding(kind).reasons
        if len(reasons) < EXAMPLES:
            reasons.append(reason)

    def look_again(self, again: DoctorReport) -> None:
        """Take back what was noted as repaired and a second look still finds."""
        for kind, left in again.findings.items():
            finding = self._finding(kind)
            finding.found = max(finding.found, left.found)
            if kind not in HINTS and finding.found - finding.repaired < left.found:
                finding.repaired = finding.found - left.found
                self.give_up(kind, f"found again after the repair: {left.examples[0]}")

    def has(self, *kinds: Kind) -> bool:
        return any(kind in self.findings for kind in kinds)

    @classmethod
    def of_json(cls, document: JsonObject) -> DoctorReport:
        """The report that ``to_json`` made, such as a service's."""
        findings = [
            Finding(
                Kind(each["kind"]),
                each["found"],
                each["repaired"],
                each["examples"],
                each["not_repaired_because"],
            )
            for each in document["findings"]
        ]
        return cls(
            {finding.kind: finding for finding in findings},
            Counter(document["checked"]),
            Counter(document["waiting"]),
            document["seconds"],
        )

    def to_json(self) -> JsonObject:
        """The report as a program reads it."""
        return {
            "healthy": self.is_healthy,
            "findings": [
                {
                    "kind": finding.kind.value,
                    "what": WORDS[finding.kind].what,
                    "repair": f"--repair {WORDS[finding.kind].mend}",
                    "found": finding.found,
                    "repaired": finding.repaired,
                    "examples": finding.examples,
                    "not_repaired_because": finding.reasons,
                }
                for finding in self.shown
            ],
            "checked": dict(self.checked),
            "waiting": dict(self.waiting),
            "seconds": round(self.seconds, 3),
        }

    def _finding(self, kind: Kind) -> Finding:
        return self.findings.setdefault(kind, Finding(kind))


# What is wrong with one


def face_problems(
    face: FaceTruth | None, point: StoredPoint | None, *, is_due: bool = False
) -> list[DoctorProblem]:
    """``is_due``: Qdrant may still have a former person and cluster, or show it still."""
    if face is None:
        return [] if point is None else [DoctorProblem(Kind.POINT_WITHOUT_FACE, f"point {point.id}")]
    if point is None:
        return [DoctorProblem(Kind.FACE_WITHOUT_POINT, _of(face))]
    problems = []
    if point.problem is not None:
        problems.append(DoctorProblem(Kind.FACE_WITHOUT_EMBEDDING, f"{_of(face)}: {point.problem}"))
    wrong = differences(face_payload(face).to_json(), point.payload, but=_TOLD_LATER if is_due else ())
    if wrong:
        problems.append(DoctorProblem(Kind.WRONG_PAYLOAD, f"{_of(face)}: {'; '.join(wrong)}"))
    return problems


_TOLD_LATER = (PERSON_ID, CLUSTER_ID, HIDDEN)


def face_payload(face: FaceTruth) -> FacePayload:
    """What Qdrant has to say of a face."""
    return FacePayload(
        face_instance_id=face.id,
        asset_id=face.asset_id,
        person_id=face.person_id,
        cluster_id=face.cluster_id,
        quality_score=face.quality,
        detection_confidence=face.confidence,
        recognizable=face.recognizable,
        hidden=face.hidden,
    )


def centroid_problems(row: CentroidTruth | None, point: StoredPoint | None) -> list[DoctorProblem]:
    """A point needs a row that is, or will be, active; an active row needs its point."""
    if row is None or row.state != ACTIVE:
        return [] if point is None else [DoctorProblem(Kind.POINT_WITHOUT_CENTROID, f"point {point.id}")]
    whose = f"centroid {row.id} of the person {row.person_id}"
    if point is None:
        return [DoctorProblem(Kind.CENTROID_WITHOUT_POINT, whose)]
    wrong = differences({PERSON_ID: str(row.person_id)}, point.payload)
    wrong += [] if point.problem is None else [point.problem]
    return [DoctorProblem(Kind.WRONG_CENTROID, f"{whose}: {'; '.join(wrong)}")] if wrong else []


def differences(truth: JsonObject, stored: JsonObject, *, but: Sequence[str] = ()) -> list[str]:
    """In words, where a payload is not what it should be."""
    keys = [key for key in [*truth, *sorted(stored.keys() - truth.keys())] if key not in but]
    return [
        f"{key} is {_told(stored, key)} instead of {_told(truth, key)}"
        for key in keys
        if (key in truth) != (key in stored) or not _same(truth[key], stored[key])
    ]


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float | int):
        return math.isclose(a, b, rel_tol=0, abs_tol=SAME_NUMBER)
    return bool(a == b)


def _told(payload: JsonObject, key: str) -> str:
    return repr(payload[key]) if key in payload else "not there"


def _of(face: FaceTruth) -> str:
    return f"face {face.id} of the photo {face.asset_id}"


# Two ordered streams as one


class _Ordered(Protocol):
    def __lt__(self, other: Any, /) -> bool: ...


K = TypeVar("K", bound=_Ordered)
L = TypeVar("L")
R = TypeVar("R")


def merge_ordered(
    left: Iterable[tuple[K, L]], right: Iterable[tuple[K, R]]
) -> Iterator[tuple[L | None, R | None]]:
    """Two streams in the order of their keys, what has the same key together. Reads ahead by one of each."""
    lefts, rights = iter(left), iter(right)
    a, b = next(lefts, None), next(rights, None)
    while a is not None or b is not None:
        if b is None or (a is not None and a[0] < b[0]):
            assert a is not None  # noqa: S101 - the loop's condition, told to the type checker
            yield a[1], None
            a = next(lefts, None)
        elif a is None or b[0] < a[0]:
            yield None, b[1]
            b = next(rights, None)
        else:
            yield a[1], b[1]
            a, b = next(lefts, None), next(rights, None)


def point_key(point_id: UUID | int) -> tuple[bool, int]:
    """Qdrant's order of ids: whole numbers, then UUIDs by their bytes."""
    return (True, point_id.int) if isinstance(point_id, UUID) else (False, point_id)
