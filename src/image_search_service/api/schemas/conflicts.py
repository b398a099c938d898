"""Contradictions between faces, photos and persons."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from image_search_service.api.schemas.common import Answer
from image_search_service.api.schemas.faces import shown_path
from image_search_service.services.suggestions import conflicts
from image_search_service.services.suggestions.conflicts import ConflictKind


class ConflictPerson(Answer):
    """A person whom a contradiction is about."""

    person_id: UUID
    person_name: str = Field(examples=["Ada Lovelace"])


class Conflict(Answer):
    """Something that is perhaps wrong; a human decides."""

    kind: ConflictKind
    persons: list[ConflictPerson]
    face_ids: list[UUID] = Field(
        description="The contradicting faces. Of a lost face: the one that had the name; its crop is kept."
    )
    asset_id: UUID | None = Field(description="The photo that shows them.", examples=[None])
    path: str | None = Field(description="A file of that photo.", examples=["/photos/2019/garden.jpg"])
    candidate_face_ids: list[UUID] = Field(
        description="Of a lost face: the faces without a name in the photo that its file holds now. "
        "`POST /decisions/lost-face` answers which it is, or none.",
        examples=[[]],
    )
    name_in_file: str | None = Field(
        description="The other name that a file, which is `path`, has for the face.", examples=[None]
    )
    similarity: float | None = Field(
        description="Of the face to its person's centroid, or of two centroids, −1 to 1.", examples=[0.71]
    )

    @classmethod
    def of(cls, conflict: conflicts.ConflictRecord) -> Conflict:
        pairs = zip(conflict.person_ids, conflict.names, strict=True)
        return cls(
            kind=conflict.kind,
            persons=[ConflictPerson(person_id=person, person_name=name) for person, name in pairs],
            face_ids=conflict.face_ids,
            candidate_face_ids=conflict.candidate_ids,
            asset_id=conflict.asset_id,
            path=None if conflict.path is None else shown_path(conflict.path),
            name_in_file=conflict.name_in_file,
            similarity=conflict.similarity,
        )


class Conflicts(Answer):
    """The gravest of each kind first."""

    items: list[Conflict]
    next_cursor: str | None = Field(
        description="Of one kind: where the next page begins; null on the last page.", examples=[None]
    )
    unchecked: int = Field(
        description="Persons whose faces have changed since they were compared; `POST /conflicts/find` "
        "compares them.",
        examples=[0],
    )
