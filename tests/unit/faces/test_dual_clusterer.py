"""Known people first, then groups of the unknown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import select

from image_search_service.core.errors import InvalidInputError
from image_search_service.db.models import FaceInstance
from image_search_service.faces.dual_clusterer import DualModeClusterer
from image_search_service.library.health import library_counts
from image_search_service.library.opening import Library
from image_search_service.services.centroid_service import CentroidService
from tests.support.served import add_faces, add_person, alike, directions
from tests.support.stores import STORES, library_on
from tests.support.world import World

LOOKS = directions(3, seed=5)


@pytest.fixture(params=STORES)
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Library]:
    """Ada with five named faces and four without a name, and six faces of somebody unknown."""
    with library_on(request.param, tmp_path) as opened:
        with opened.database.write() as session:
            world = World(session)
            ada = add_person(world, "Ada")
            known = alike(LOOKS[0], 5, spread=0.3)
            add_faces(opened, world, known, person_id=ada.id, assigned_by="human")
            unnamed = [alike(LOOKS[0], 4, spread=0.3, seed=1), alike(LOOKS[1], 6, spread=0.3)]
            add_faces(opened, world, np.vstack(unnamed))
        yield opened


def places(library: Library) -> dict[UUID, tuple[UUID | None, UUID | None]]:
    """Person and cluster of each face."""
    with library.database.read() as session:
        rows = session.execute(select(FaceInstance.id, FaceInstance.person_id, FaceInstance.cluster_id))
        return {row[0]: (row[1], row[2]) for row in rows}


def test_known_people_then_groups(library: Library) -> None:
    """Who is known gets their faces; the unknown become a cluster; a second run finds nothing to do."""
    first = DualModeClusterer(library.stores, CentroidService(library.stores)).cluster_all()
    assert (first.assigned.faces, first.assigned.assigned) == (10, 4)
    assert (first.grouped.faces, first.grouped.clusters, first.grouped.noise_faces) == (6, 1, 0)
    before = places(library)
    second = DualModeClusterer(library.stores, CentroidService(library.stores)).cluster_all()
    assert (second.assigned.assigned, second.grouped.clusters) == (0, 1)
    assert places(library) == before


def test_each_part_by_itself(library: Library) -> None:
    """Grouping alone puts the known person's faces into a cluster, from which assigning then takes them."""
    dual = DualModeClusterer(library.stores, CentroidService(library.stores))
    assert dual.cluster_unknown_faces().clusters == 2
    assert dual.assign_to_known_people().assigned == 4
    assert library_counts(library).clusters == 1


@pytest.mark.parametrize(("method", "size"), [("guess", 2), ("agglomerative", 1)])
def test_what_cannot_be_grouped_is_said_before_anything_is_done(
    library: Library, method: str, size: int
) -> None:
    """An unknown method or size is refused before a face is assigned."""
    with pytest.raises(InvalidInputError):
        DualModeClusterer(library.stores, CentroidService(library.stores)).cluster_all(
            method=method, min_cluster_size=size
        )
    assert library_counts(library).named_faces == 5
