"""The doctor on PostgreSQL and a Qdrant server over gRPC: what it finds and mends there is the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from image_search_service.core.config import Settings
from image_search_service.core.errors import InvalidInputError, VectorStoreError
from image_search_service.library.opening import Library, open_library
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.doctor.findings import DoctorReport
from image_search_service.services.doctor.service import DoctorService
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.indexing.indexer import IndexService
from image_search_service.services.people.lookup import PeopleService
from image_search_service.vector.embedded import EmbeddedQdrant
from tests.support.damage import (
    DAMAGE,
    all_faces,
    centroids_broken,
    embeddings_unusable,
    embeddings_unusable_in,
    found,
    payloads_wrong,
    points_gone,
    points_of,
    stray_points,
)
from tests.support.databases import postgresql_schema
from tests.support.qdrant_server import Fault, QdrantServer
from tests.support.round_trips import round_trips
from tests.support.served import no_bar

pytestmark = pytest.mark.depth
"""``tests/unit/services/doctor`` has the same damage on the stores of one machine."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedQdrant]:
    with EmbeddedQdrant(tmp_path_factory.mktemp("engine")) as made:
        yield made


@pytest.fixture(scope="module")
def server(engine: EmbeddedQdrant) -> Iterator[QdrantServer]:
    with QdrantServer(engine) as made:
        yield made


@pytest.fixture(scope="module")
def library(server: QdrantServer, drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """An indexed library with two named people; every test leaves it whole."""
    folder = tmp_path_factory.mktemp("library")
    with postgresql_schema() as url:
        settings = Settings(
            library=folder / "library",
            engine="synthetic",
            offline=True,
            workers=2,
            database_url=url.render_as_string(hide_password=False),
            **server.settings,
        )
        with open_library(settings, lambda _: None, no_bar) as opened:
            opened.engine_binding.bind()
            IndexService(opened.stores).index([drawn])
            FaceClusteringService(opened.stores).group_if_stale()
            people = PeopleService(opened.database)
            for cluster, name in zip(people.people().clusters, ("Ada", "Grace"), strict=False):
                ReviewService(opened.database, "test").name_cluster(cluster.id.hex, name)
            opened.payload_sender.send()
            CentroidService(opened.stores).compute_centroids()
            yield opened


def examine(library: Library, *, repair: bool = False) -> DoctorReport:
    return DoctorService(library.stores).examine(repair=repair)


def test_ids_come_in_the_same_order_from_both_stores(library: Library) -> None:
    """Rows and points meet at once: nothing has to be looked at again. The embeddings of faces that somebody
    named come in one fetch, and the library's mark in another."""
    with round_trips() as trips:
        assert found(examine(library)) == {}
    assert trips.qdrant["scroll"] == 2
    assert trips.qdrant["retrieve"] == 2


def test_every_damage_is_found_and_mended(library: Library, engine: EmbeddedQdrant) -> None:
    """One after the other: exactly what was damaged is found, and repaired it is gone."""
    assert found(examine(library)) == {}
    for damage in DAMAGE:
        expected = (
            embeddings_unusable_in(engine, library) if damage is embeddings_unusable else damage(library)
        )
        assert found(examine(library)) == expected
        assert examine(library, repair=True).is_healthy
        assert found(examine(library)) == {}


def test_repair_broken_off_anywhere_is_completed_by_the_next(library: Library, server: QdrantServer) -> None:
    """Whichever of its requests fails, run again it mends the rest."""
    before = points_of(all_faces(library))
    for passing in count():
        for damage in (payloads_wrong, points_gone, stray_points, centroids_broken):
            damage(library)
        server.fail(Fault.REFUSED, times=1, after=passing)
        (failing,) = server.gate.failing
        with suppress(VectorStoreError, InvalidInputError):
            examine(library, repair=True)
        server.heal()
        assert examine(library, repair=True).is_healthy
        assert found(examine(library)) == {}
        if failing.times == 1:
            break
    assert passing > 15
    assert set(library.faces.retrieve_stored(before)) == set(before)
