"""Reads faces for display: one face, those of a photo, and those in no list of persons or clusters."""

from __future__ import annotations

import uuid

from image_search_service.core.records.faces import FaceRecord, FaceState
from image_search_service.core.records.lists import ListPage
from image_search_service.core.records.photos import PersonWithoutFace, PhotoRecord
from image_search_service.db.queries import people_in_files, photo_lists
from image_search_service.db.queries.people import faces as queries
from image_search_service.db.session import Database
from image_search_service.services.existing import required


class FaceCatalogue:
    """Lists faces. Each method costs a fixed number of statements, and raises NotFoundError for an unknown
    id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def face(self, face_id: uuid.UUID) -> FaceRecord:
        with self._database.read() as session:
            return required(queries.face_by_id(session, face_id), "face", face_id)

    def in_photo(self, asset_id: uuid.UUID) -> tuple[PhotoRecord, list[FaceRecord]]:
        """A photo and its faces, left to right."""
        with self._database.read() as session:
            photo = required(photo_lists.photo_by_id(session, asset_id), "photo", asset_id)
            return photo, queries.faces_of_asset(session, asset_id)

    def without_face(self, asset_id: uuid.UUID) -> list[PersonWithoutFace]:
        """The people whom a photo's files name, and who have no face in it, by name."""
        with self._database.read() as session:
            required(photo_lists.photo_by_id(session, asset_id), "photo", asset_id)
            return [
                PersonWithoutFace(person.person_id, person.present_name or person.name)
                for person in people_in_files.without_face(session, asset_id)
            ]

    def in_state(self, state: FaceState, offset: int, limit: int) -> ListPage[FaceRecord]:
        """Unnamed faces in a state, the clearest first."""
        with self._database.read() as session:
            return ListPage(
                queries.faces_in_state(session, state, offset, limit), queries.count_in_state(session, state)
            )
