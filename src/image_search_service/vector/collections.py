"""Collection names, payload keys and payload indexes, defined only here.

SQL is the truth. A payload is derived from it, so that Qdrant can filter; it holds only what a search
filters by or what leads back to SQL. A value that is not known is left out, never stored as null.

An engine's embeddings have a collection of their own, named after the engine's name, dimension and
checksum: embeddings of two engines cannot meet. Several libraries on one server each give their own id.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from image_search_service.core.types import EngineIdentity, FloatArray

FACE_INSTANCE_ID: Final = "face_instance_id"
ASSET_ID: Final = "asset_id"
PERSON_ID: Final = "person_id"
CLUSTER_ID: Final = "cluster_id"
QUALITY_SCORE: Final = "quality_score"
DETECTION_CONFIDENCE: Final = "detection_confidence"
UNRECOGNIZABLE: Final = "unrecognizable"
HIDDEN: Final = "hidden"

IndexKind = Literal["uuid", "float", "bool"]

FACE_INDEXES: Final[dict[str, IndexKind]] = {
    PERSON_ID: "uuid",
    CLUSTER_ID: "uuid",
    QUALITY_SCORE: "float",
    UNRECOGNIZABLE: "bool",
    HIDDEN: "bool",
}
CENTROID_INDEXES: Final[dict[str, IndexKind]] = {PERSON_ID: "uuid"}


def faces_collection(engine: EngineIdentity, library: UUID | None = None) -> str:
    """Name of the collection of a library's faces, such as ``faces_opencv_128_0ba9fbfa``."""
    return _name("faces", engine, library)


def centroids_collection(engine: EngineIdentity, library: UUID | None = None) -> str:
    """Name of the collection of a library's centroids, such as ``centroids_opencv_128_0ba9fbfa``."""
    return _name("centroids", engine, library)


def _name(kind: str, engine: EngineIdentity, library: UUID | None) -> str:
    parts = [kind, engine.name, str(engine.dimension), engine.checksum[:8]]
    return "_".join(parts if library is None else [*parts, library.hex])


@dataclass(frozen=True, slots=True)
class CollectionSettings:
    """Options of new collections on a Qdrant server; None leaves an option to the server.

    shard_number, replication_factor: 1 or more. on_disk: whether vectors stay on disk.
    quantization: ``scalar`` keeps int8 copies in memory, a quarter of the size.
    """

    shard_number: int | None = None
    replication_factor: int | None = None
    on_disk: bool | None = None
    quantization: Literal["scalar", "binary"] | None = None


@dataclass(frozen=True, slots=True)
class FacePayload:
    """A face's payload in Qdrant.

    asset_id: the photo. quality_score, detection_confidence: 0 to 1. recognizable: whether the face can be
    told from others; stored only when false. hidden: whether a human set it aside or marked it as no face;
    stored only when true.
    """

    face_instance_id: UUID
    asset_id: UUID
    person_id: UUID | None = None
    cluster_id: UUID | None = None
    quality_score: float | None = None
    detection_confidence: float | None = None
    recognizable: bool = True
    hidden: bool = False

    def to_json(self) -> dict[str, Any]:
        """The payload as Qdrant stores it: ids as text, unknown values left out."""
        values = {
            FACE_INSTANCE_ID: str(self.face_instance_id),
            ASSET_ID: str(self.asset_id),
            PERSON_ID: _text(self.person_id),
            CLUSTER_ID: _text(self.cluster_id),
            QUALITY_SCORE: self.quality_score,
            DETECTION_CONFIDENCE: self.detection_confidence,
            UNRECOGNIZABLE: None if self.recognizable else True,
            HIDDEN: True if self.hidden else None,
        }
        return {key: value for key, value in values.items() if value is not None}

    @classmethod
    def from_json(cls, payload: dict[str, Any]) -> FacePayload:
        """The inverse of ``to_json``. Raises KeyError or ValueError for a payload that is not a face's."""
        return cls(
            face_instance_id=UUID(payload[FACE_INSTANCE_ID]),
            asset_id=UUID(payload[ASSET_ID]),
            person_id=_uuid(payload.get(PERSON_ID)),
            cluster_id=_uuid(payload.get(CLUSTER_ID)),
            quality_score=payload.get(QUALITY_SCORE),
            detection_confidence=payload.get(DETECTION_CONFIDENCE),
            recognizable=not payload.get(UNRECOGNIZABLE, False),
            hidden=payload.get(HIDDEN, False),
        )


@dataclass(frozen=True, slots=True)
class FacePoint:
    """A face as it is stored. embedding: ``(d,)`` float32 of unit length, as a face engine gives it."""

    point_id: UUID
    embedding: FloatArray
    payload: FacePayload


@dataclass(frozen=True, slots=True)
class FaceMatch:
    """A face that a search found. score: cosine similarity, −1 to 1."""

    point_id: UUID
    score: float
    payload: FacePayload


@dataclass(frozen=True, slots=True)
class FaceFilter:
    """Which faces a search or scroll may return; all conditions hold at once.

    unlabeled: only faces without a person. recognizable: only those that can be told from others.
    shown: without those that a human set aside or marked as no face.
    min_quality: 0 to 1, faces without a quality are left out.
    among, except_ids: point ids to choose from, and to leave out.
    """

    person_id: UUID | None = None
    cluster_id: UUID | None = None
    unlabeled: bool = False
    recognizable: bool = False
    shown: bool = False
    min_quality: float | None = None
    among: Collection[UUID] | None = None
    except_ids: Collection[UUID] = ()


EVERY_FACE: Final = FaceFilter()
UNNAMED_FACES: Final = FaceFilter(unlabeled=True, recognizable=True, shown=True)
"""Those that jobs group and suggest, as far as Qdrant was told (in SQL ``conditions.IS_UNNAMED_FACE``)."""


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _uuid(value: str | None) -> UUID | None:
    return None if value is None else UUID(value)
