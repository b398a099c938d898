"""A backup holds everything, and can be restored on any of the stores, from any."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from image_search_service.core.config import Settings
from image_search_service.core.errors import ConflictError, RestoreInterruptedError
from image_search_service.db.models import AssetPath, FaceSuggestion, IndexRun, JobRow, PersonPrototype
from image_search_service.db.queries.suggestions.centroids import centroids_with_point
from image_search_service.library.opening import Library, open_library
from image_search_service.services.backup.archive import Manifest, write_file
from image_search_service.services.backup.restore import RestoreReport, RestoreService, checked_backup
from image_search_service.services.backup.service import BackupService
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.doctor.findings import Kind
from image_search_service.services.doctor.service import DoctorService
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.indexing.indexer import IndexService
from image_search_service.services.people.lookup import PeopleService
from image_search_service.services.suggestions.prototypes import PrototypeService
from image_search_service.services.suggestions.search import SuggestionService
from image_search_service.vector.embedded import EmbeddedQdrant
from tests.support.contents import contents
from tests.support.damage import all_faces, found
from tests.support.databases import postgresql_schema
from tests.support.qdrant_server import QdrantServer
from tests.support.served import add_faces, bind, directions, no_bar
from tests.support.stores import STORES
from tests.support.world import World

EMBEDDED, SERVERS = "embedded", "servers"


@contextmanager
def opened(stores: str, folder: Path) -> Iterator[Library]:
    """A library in ``folder``, on SQLite and the embedded Qdrant, or on PostgreSQL and a Qdrant server."""
    with ExitStack() as stack:
        more = {}
        if stores == SERVERS:
            engine = stack.enter_context(EmbeddedQdrant(folder.with_name(f"{folder.name}.qdrant")))
            server = stack.enter_context(QdrantServer(engine))
            url = stack.enter_context(postgresql_schema())
            more = {"database_url": url.render_as_string(hide_password=False)} | server.settings
        settings = Settings(library=folder, engine="synthetic", offline=True, workers=2, **more)
        yield stack.enter_context(open_library(settings, lambda _: None, no_bar, restoring=True))


@pytest.fixture(scope="module")
def album(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(drawn, tmp_path_factory.mktemp("album") / "photos"))


@pytest.fixture(scope="module", params=STORES)
def library(
    request: pytest.FixtureRequest, album: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Library]:
    """A library with something of everything."""
    with opened(request.param, tmp_path_factory.mktemp("source") / "library") as made:
        made.engine_binding.bind()
        IndexService(made.stores).index([album])
        FaceClusteringService(made.stores).group_if_stale()
        name_groups(made, "Ada", "Grace")
        made.payload_sender.send()
        CentroidService(made.stores).compute_centroids()
        PrototypeService(made.stores).compute_prototypes()
        with made.database.write() as session:
            face = all_faces(made)[0]
            person = session.scalars(select(PersonPrototype.person_id)).first()
            assert person is not None
            session.add(JobRow(kind="doctor", parameters={"repair": False}, key="k", state="succeeded"))
            asked = FaceSuggestion(
                face_instance_id=face.id,
                person_id=person,
                state="pending",
                confidence=0.1 + 0.2,
                source="prototype",
                evidence=[{"similarity": 0.3}],
            )
            session.add(asked)
            session.add(
                AssetPath(
                    path=Path(os.fsdecode(b"/photos/caf\xe9\xff.jpg")),
                    asset_id=face.asset_id,
                    size=2**40,
                    modified_ns=1,
                    seen_in_run=1,
                )
            )
        ReviewService(made.database, "test").reject([asked.id])
        yield made


def name_groups(library: Library, *names: str) -> None:
    for cluster, name in zip(PeopleService(library.database).people().clusters, names, strict=False):
        ReviewService(library.database, "test").name_cluster(cluster.id.hex, name)


def back_up(library: Library, file: Path) -> Manifest:
    return write_file(file, BackupService(library.stores).stream())


def restore(library: Library, file: Path) -> RestoreReport:
    return RestoreService(library.stores, library.collections).restore(checked_backup(file))


@pytest.mark.parametrize("stores", STORES)
def test_what_is_restored_is_what_was_backed_up(library: Library, stores: str, tmp_path: Path) -> None:
    """Rows, ids, points, payloads, embeddings and pictures are equal; nothing is wrong with them; and new
    rows are numbered after those that are there."""
    before = contents(library)
    manifest = back_up(library, tmp_path / "backup.tar")
    assert manifest.counts["embeddings"] == len(before["faces"])
    assert [count for name, count in manifest.counts.items() if "missing" in name] == [0, 0, 0]
    with opened(stores, tmp_path / "restored") as other:
        report = restore(other, tmp_path / "backup.tar")
        assert contents(other) == before == contents(library)
        assert (report.rows, report.without_embedding) == (manifest.counts["rows"], 0)
        assert found(DoctorService(other.stores, alone=True).examine()) == {}
        with other.database.write() as session:
            session.add(IndexRun())


@pytest.mark.parametrize("stores", STORES)
def test_somebody_who_was_merged_comes_back_after_a_restore(stores: str, tmp_path: Path) -> None:
    """Both stores have the centroids of the same persons; a repair mends an older backup, too, and undoing
    the merge in the restored library stops no search."""
    with opened(stores, tmp_path / "given") as library:
        bind(library)
        with library.database.write() as session:
            faces = [face.id for face in add_faces(library, World(session), directions(10))]
        review = ReviewService(library.database, "test")
        ada, grace = (review.create_person(name).person_id for name in ("Ada", "Grace"))
        review.assign_faces(faces[:4], ada)
        review.assign_faces(faces[4:8], grace)
        library.payload_sender.send()
        CentroidService(library.stores).compute_centroids()
        merged = review.merge_persons([grace], ada).id
        back_up(library, tmp_path / "backup.tar")
    assert merged is not None
    with opened(stores, tmp_path / "restored") as library:
        restore(library, tmp_path / "backup.tar")
        doctor = DoctorService(library.stores)
        assert "centroid_without_point" not in found(doctor.examine())
        with library.database.read() as session:
            (of_grace,) = centroids_with_point(session, [grace])
        library.centroids.delete_centroids([of_grace.id])  # as backups once did
        assert doctor.examine(repair=True).findings[Kind.CENTROID_WITHOUT_POINT].repaired == 1
        assert "centroid_without_point" not in found(doctor.examine())
        ReviewService(library.database, "test").undo(merged)
        SuggestionService(library.stores).find_more_centroid([ada, grace])
        assert library.stores.centroids_in_memory.now().person_ids == sorted([ada, grace])


@pytest.mark.depth
def test_what_happens_during_a_backup_is_not_in_it(library: Library, album: Path, tmp_path: Path) -> None:
    """Whatever is written between its pieces: the backup is of the moment at which it began."""
    before = contents(library)
    stream = BackupService(library.stores).stream()
    pieces = [next(stream)]
    name_groups(library, "Somebody", "Somebody else")
    library.payload_sender.send()
    CentroidService(library.stores).compute_centroids(force=True)
    pieces += stream
    write_file(tmp_path / "backup.tar", pieces)
    with opened(EMBEDDED, tmp_path / "restored") as other:
        restore(other, tmp_path / "backup.tar")
        after = contents(other)
        assert found(DoctorService(other.stores, alone=True).examine()) == {}
    assert len(after["centroids"]) == len(before["centroids"]), "replaced meanwhile: computed again"
    for name in before.keys() - {"person_centroids", "centroids"}:
        assert after[name] == before[name], name


@pytest.mark.depth
def test_a_backup_of_a_library_at_work_is_whole(album: Path, tmp_path: Path) -> None:
    """While somebody indexes and names, backups are taken; in none of them is anything wrong."""
    with opened(EMBEDDED, tmp_path / "library") as library:
        library.engine_binding.bind()
        folders = sorted(path for path in album.iterdir() if path.is_dir())

        def work() -> None:
            for number, folder in enumerate(folders):
                IndexService(library.stores).index([folder])
                FaceClusteringService(library.stores).group_if_stale()
                name_groups(library, f"Person {number}")
                library.payload_sender.send()

        worker = threading.Thread(target=work)
        worker.start()
        files: list[Path] = []
        while worker.is_alive() or not files:
            files.append(tmp_path / f"{len(files)}.tar")
            back_up(library, files[-1])
        worker.join()
    chosen = {files[0], files[len(files) // 2], files[-1]}
    for file in sorted(chosen):
        with opened(EMBEDDED, tmp_path / f"restored {file.stem}") as other:
            restore(other, file)
            assert found(DoctorService(other.stores, alone=True).examine()) == {}


def test_a_library_that_is_not_empty_is_refused(library: Library, tmp_path: Path) -> None:
    """It keeps what it has."""
    back_up(library, tmp_path / "backup.tar")
    before = contents(library)
    with pytest.raises(ConflictError, match="not empty"):
        restore(library, tmp_path / "backup.tar")
    assert contents(library) == before


def test_a_copy_does_not_overwrite_the_original_on_the_same_server(tmp_path: Path) -> None:
    """Both would be one collection: that is refused."""
    with opened(SERVERS, tmp_path / "library") as library:
        bind(library)
        with library.database.write() as session:
            add_faces(library, World(session), directions(3))
        back_up(library, tmp_path / "backup.tar")
        before = contents(library)
        settings = library.settings.model_copy(update={"database_url": None, "library": tmp_path / "copy"})
        with (
            open_library(settings, lambda _: None, no_bar, restoring=True) as other,
            pytest.raises(ConflictError, match="still there"),
        ):
            restore(other, tmp_path / "backup.tar")
        assert contents(library) == before


@pytest.mark.depth
def test_a_restore_that_is_killed_is_made_up_for(album: Path, tmp_path: Path) -> None:
    """Whenever it dies, the library is refused until a restore has completed, and is equal then."""
    with opened(EMBEDDED, tmp_path / "library") as library:
        library.engine_binding.bind()
        IndexService(library.stores).index([album])
        name_groups(library, "Ada")
        CentroidService(library.stores).compute_centroids()
        back_up(library, tmp_path / "backup.tar")
        before = contents(library)
    command = [sys.executable, "-m", "tests.contract.killed_restore"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def run(target: Path, die_at: int) -> tuple[int, int]:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{target}\t{tmp_path / 'backup.tar'}\t{die_at}\n")
            process.stdin.flush()
            status, steps = process.stdout.readline().split()
            return int(status), int(steps)

        status, total = run(tmp_path / "whole", 0)
        assert status == 0
        for moment in (2, 7, 10, 0.5, -2, -1):  # a step, a share of them, or so many from the end
            step = int(total * moment) if moment == 0.5 else int(moment) % (total + 1)
            target = tmp_path / f"step {step}"
            assert run(target, step)[0] == -signal.SIGKILL
            check_completed(target, tmp_path / "backup.tar", before)
        process.kill()


def check_completed(target: Path, file: Path, before: object) -> None:
    """After a restore was killed: it can be completed, and the library says whether it has to be."""
    settings = Settings(library=target)
    try:
        with open_library(settings, lambda _: None, no_bar) as other:
            is_empty = other.engine_binding.row() is None
    except RestoreInterruptedError:
        is_empty = True
    with open_library(settings, lambda _: None, no_bar, restoring=True) as other:
        if is_empty and other.engine_binding.row() is None:
            restore(other, file)
        else:
            with pytest.raises(ConflictError, match="not empty"):
                restore(other, file)
    with open_library(settings, lambda _: None, no_bar) as other:
        assert contents(other) == before
        assert found(DoctorService(other.stores, alone=True).examine()) == {}
