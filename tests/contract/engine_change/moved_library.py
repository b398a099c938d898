"""Moving a library, and what it holds before and after."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from image_search_service.core.errors import UnavailableError
from image_search_service.db.models import (
    FaceInstance,
    ImageAsset,
)
from image_search_service.db.queries import faces_with_decisions
from image_search_service.library.opening import Library
from image_search_service.services.decisions.replay import RebuildService
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.doctor.service import DoctorService
from image_search_service.services.engine_change.moving import (
    MoveResult,
    move_library,
)
from tests.support.served import no_bar


def move(library: Library) -> MoveResult:
    done = move_library(library.stores, "other", no_bar)
    assert isinstance(done, MoveResult)
    return done


def decide(library: Library) -> ReviewService:
    return ReviewService(library.database, "test")


def faces(library: Library) -> dict[UUID, FaceInstance]:
    with library.database.read() as session:
        found = {face.id: face for face in session.scalars(select(FaceInstance))}
        session.expunge_all()
    return found


def groups(library: Library) -> list[tuple[UUID, list[UUID]]]:
    """Clusters with their faces, the largest first."""
    members: dict[UUID, list[UUID]] = {}
    for face in faces(library).values():
        if face.cluster_id is not None:
            members.setdefault(face.cluster_id, []).append(face.id)
    return sorted(members.items(), key=lambda each: (-len(each[1]), each[0]))


def said(library: Library) -> dict[UUID, Any]:
    """Everything that humans said of faces, by face, without their places."""
    with library.database.read() as session:
        spoken = list(faces_with_decisions.decided_faces_by_id(session, sorted(faces(library))))
    return {
        face.id: (
            face.person_id,
            face.group_id,
            face.is_face,
            sorted(face.rejected_for),
            sorted(face.pinned_for),
            face.apart,
        )
        for face in spoken
    }


def say_everything(library: Library) -> None:
    """One decision of each kind about faces."""
    by_size = groups(library)
    service = decide(library)
    person = service.name_cluster(str(by_size[0][0]), "Ada").person_id
    service.mark_cluster_not_person(str(by_size[1][0]), person)
    service.mark_clusters_different(str(by_size[2][0]), str(by_size[3][0]))
    service.group_faces(by_size[4][1][:2])
    service.not_a_face([by_size[5][1][0]])
    service.pin_prototype(person, by_size[0][1][0])
    service.set_cover_face(person, by_size[0][1][1])
    library.payload_sender.send()


def is_healthy(library: Library) -> bool:
    report = DoctorService(library.stores, alone=True).examine()
    return report.is_healthy and RebuildService(library.database).check().wrong == 0


def interrupt(*_args: Any) -> None:
    raise UnavailableError("Interrupted.")


def alone_at_its_place(library: Library, members: Sequence[UUID]) -> UUID:
    """A face of these, in a photo that is read at its own size, near whose place no other photo has a face:
    an engine that is blind there loses one."""
    every = faces(library)
    centers = {face.id: face.box.center for face in every.values()}
    fits = (ImageAsset.width <= 1_280, ImageAsset.height <= 1_280)
    with library.database.read() as session:
        small = set(session.scalars(select(ImageAsset.id).where(*fits)))
    return next(
        member
        for member in members
        if every[member].asset_id in small
        and sum(math.dist(centers[member], center) < 4 for center in centers.values()) == 1
    )
