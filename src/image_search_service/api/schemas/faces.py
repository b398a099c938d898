"""Faces and the photos that they are in."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from image_search_service.api.schemas.common import Answer, LocalTime, Slice
from image_search_service.core.decisions import NameOrigin
from image_search_service.core.records.faces import FaceRecord
from image_search_service.core.types import Because
from image_search_service.services.suggestions.explanation import Explanation

PREFIX = "/api/v1"


class BoxAnswer(Answer):
    """A rectangle in pixels of the upright photo; may reach over its edge."""

    x: float = Field(examples=[412.5])
    y: float = Field(examples=[180.0])
    width: float = Field(examples=[96.0])
    height: float = Field(examples=[124.0])


class Face(Answer):
    """One face found in one photo."""

    id: UUID
    asset_id: UUID = Field(description="The photo that shows the face.")
    position: int = Field(description="Left to right in the photo, from 0.", examples=[0])
    box: BoxAnswer
    landmarks: list[list[float]] = Field(
        description="Eyes, nose and corners of the mouth, each x and y in pixels of the photo.",
        examples=[[[430.1, 221.4], [477.0, 219.8], [453.2, 249.5], [436.0, 275.3], [471.8, 274.0]]],
    )
    photo_width: int = Field(examples=[1024])
    photo_height: int = Field(examples=[768])
    detection_confidence: float = Field(description="0 to 1.", examples=[0.97])
    quality_score: float = Field(description="0 to 1.", examples=[0.81])
    quality_parts: dict[str, Any] = Field(description="The parts of the quality by name, 0 to 1 each.")
    person_id: UUID | None = Field(description="The person; null while the face has none.")
    person_name: str | None = Field(examples=["Ada Lovelace"])
    assigned_by: Literal["human", "machine"] | None = Field(
        description="Who assigned the person, human or machine; null without a person.", examples=["human"]
    )
    name_origin: NameOrigin | None = Field(
        description="Where a human's name comes from: said here, read from a file's metadata, imported, or "
        "carried over from another content of its file; null without one.",
        examples=["here"],
    )
    cluster_id: UUID | None = Field(
        description="Its cluster; null for a face with a person, and for one that resembles no other face."
    )
    set_aside: bool = Field(description="Whether a human set the face aside.")
    by_hand: bool = Field(
        description="Whether a human drew its box, or a named region of the photo gave it, where no face was "
        "found."
    )
    crop_url: str = Field(description="A small picture of the face, JPEG.")
    taken_at: LocalTime | None = Field(description="When the photo was taken, by the camera's clock.")
    path: str | None = Field(
        description="A file of the photo; null when all of them are missing.",
        examples=["/photos/2019/garden.jpg"],
    )
    proposals: None = Field(
        default=None, description="Always null; see `/faces/{id}/suggestions`.", examples=[None]
    )

    @classmethod
    def of(cls, face: FaceRecord) -> Face:
        return cls(**face_fields(face))


def face_fields(face: FaceRecord) -> dict[str, Any]:
    """A face's fields, for the answers that add some of their own."""
    box = face.box
    return {
        "id": face.id,
        "asset_id": face.asset_id,
        "position": face.position,
        "box": BoxAnswer(x=box.x, y=box.y, width=box.width, height=box.height),
        "landmarks": face.landmarks,
        "photo_width": face.photo_width,
        "photo_height": face.photo_height,
        "detection_confidence": face.detection_confidence,
        "quality_score": face.quality_score,
        "quality_parts": face.quality_parts,
        "person_id": face.person_id,
        "person_name": face.person_name,
        "assigned_by": face.assigned_by,
        "name_origin": face.name_origin,
        "cluster_id": face.cluster_id,
        "set_aside": face.set_aside,
        "by_hand": face.by_hand,
        "crop_url": crop_url(face.id),
        "taken_at": face.taken_at,
        "path": None if face.path is None else shown_path(face.path),
    }


class FacePicture(Answer):
    """A face to look at."""

    id: UUID
    crop_url: str = Field(description="A small picture of the face, JPEG.")

    @classmethod
    def of(cls, face_id: UUID) -> FacePicture:
        return cls(id=face_id, crop_url=crop_url(face_id))


class FaceSlice(Slice[Face]):
    """Faces, the clearest first."""


class FaceReason(Answer):
    """A reason why a face has no person, or not this person."""

    because: Because = Field(examples=["below_threshold"])
    text: str = Field(examples=["It resembles Ada Lovelace most, by 0.412; 0.497 are needed to give it …"])
    person_id: UUID | None = Field(description="The person that the reason is about.")
    similarity: float | None = Field(
        description="Cosine similarity to the person's centroid, −1 to 1; for `too_close` the margin.",
        examples=[0.412],
    )
    measured: float | None = Field(
        description="Measured on the picture: pixels for `too_small`, otherwise a share, 0 to 1.",
        examples=[None],
    )
    needed: float | None = Field(
        description="What `similarity` or `measured` would have to be.", examples=[0.497]
    )


class FaceExplanation(Answer):
    """Why a face has no person; no reason if it has one."""

    face_id: UUID
    person_id: UUID | None
    person_name: str | None = Field(description="The person's name.", examples=[None])
    reasons: list[FaceReason]

    @classmethod
    def of(cls, explanation: Explanation) -> FaceExplanation:
        return cls(
            face_id=explanation.face_id,
            person_id=explanation.person_id,
            person_name=explanation.person_name,
            reasons=[FaceReason(**asdict(reason)) for reason in explanation.reasons],
        )


def shown_path(path: Path) -> str:
    """A path as JSON can say it, whatever bytes it has."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def crop_url(face_id: UUID) -> str:
    return f"{PREFIX}/faces/{face_id}/crop"
