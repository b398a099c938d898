"""Faces by hand, on every database and store: drawn, moved, removed, undone, made again, moved elsewhere."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select

from image_search_service.core.config import Settings
from image_search_service.core.errors import ConflictError, InvalidInputError
from image_search_service.core.types import Box
from image_search_service.db.models import AssetPath, FaceInstance
from image_search_service.library.opening import Library, open_library
from image_search_service.services.decisions.replay import RebuildService
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.doctor.service import DoctorService
from image_search_service.services.exchange.service import ExchangeService
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.indexing.by_hand import HandFaceService
from image_search_service.services.indexing.drawing import FaceDrawer
from image_search_service.services.indexing.indexer import IndexService
from image_search_service.services.indexing.pipeline import index_photos
from image_search_service.services.people.lookup import PeopleService
from tests.support.drawn_photos import copy_some
from tests.support.served import bind, no_bar
from tests.support.stores import STORES, library_on
from tests.support.world import put_database
from tests.unit.services.metadata.xmp_files import digikam

BLANK = (0.1, 0.1, 0.2, 0.2)


@pytest.fixture(scope="module")
def drawn(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_some(drawn, tmp_path_factory.mktemp("drawn"), 12)
    Image.new("RGB", (200, 100), (90, 120, 90)).save(folder / "blank.jpg")
    return folder


@pytest.fixture
def album(drawn: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(drawn, tmp_path / "album"))


@pytest.fixture(params=STORES)
def library(request: pytest.FixtureRequest, tmp_path: Path, album: Path) -> Iterator[Library]:
    with library_on(request.param, tmp_path) as opened:
        IndexService(opened.stores).index([album])
        yield opened


@pytest.fixture
def local(tmp_path: Path, album: Path) -> Iterator[Library]:
    with library_on("embedded", tmp_path) as opened:
        IndexService(opened.stores).index([album])
        yield opened


def by_hand(library: Library) -> HandFaceService:
    return HandFaceService(library.stores, "test")


def photo_of(library: Library, file: Path) -> UUID:
    return by_hand(library).photo_of_file(file)


def face(library: Library, face_id: UUID) -> FaceInstance:
    with library.database.read() as session:
        found = session.get_one(FaceInstance, face_id)
        session.expunge_all()
    return found


def some_face(library: Library) -> FaceInstance:
    """The clearest face that was found."""
    with library.database.read() as session:
        found = session.scalars(
            select(FaceInstance)
            .join(AssetPath, AssetPath.asset_id == FaceInstance.asset_id)
            .order_by(FaceInstance.quality_score.desc(), FaceInstance.id)
        ).first()
        session.expunge_all()
    assert found is not None
    return found


def shown(library: Library, file: Path) -> list[tuple[UUID, str | None, bool]]:
    listed, _ = PeopleService(library.database).faces(photo=file, limit=50)
    return [(one.id, one.name, one.by_hand) for one in listed]


def is_healthy(library: Library) -> bool:
    return DoctorService(library.stores, alone=True).examine().is_healthy


def test_a_drawn_face_is_a_face(library: Library, album: Path) -> None:
    """A box that somebody drew is a face by hand, with a crop, an embedding and a name; undone, it is none,
    and done again, it is one. Indexing again leaves it, the doctor finds nothing wrong."""
    blank = album / "blank.jpg"
    made = by_hand(library).add(photo_of(library, blank), BLANK, "Ada")
    assert face(library, made.face_id).box == Box(20, 10, 40, 20)
    assert shown(library, blank) == [(made.face_id, "Ada", True)]
    assert library.paths.crop(made.face_id).exists()
    assert made.face_id in library.faces.get_embeddings_by_point_ids([made.face_id])
    IndexService(library.stores).index([album])
    library.payload_sender.send()
    assert is_healthy(library)
    review = ReviewService(library.database, "test")
    undone = review.undo(made.decision or 0).id
    assert shown(library, blank) == []
    review.undo(undone or 0)
    assert shown(library, blank) == [(made.face_id, "Ada", True)]
    assert RebuildService(library.database).check().wrong == 0


def test_what_cannot_be_told_apart_is_not_grouped(local: Library, album: Path) -> None:
    """Boxes around nothing are never grouped."""
    blank = photo_of(local, album / "blank.jpg")
    boxes = [(0.1, 0.1, 0.2, 0.4), (0.5, 0.1, 0.2, 0.4), (0.1, 0.6, 0.2, 0.3)]
    made = [by_hand(local).add(blank, box) for box in boxes]
    assert not any(one.landmarks_found for one in made)
    FaceClusteringService(local.stores).group()
    recognizable = [one for one in made if one.recognizable]
    grouped = [one for one in made if face(local, one.face_id).cluster_id is not None]
    assert all(one in recognizable for one in grouped)


def test_its_embedding_is_of_its_own_pixels(local: Library) -> None:
    """The face that was found, drawn again a little larger, has nearly the same embedding."""
    found = some_face(local)
    ReviewService(local.database, "test").not_a_face([found.id])
    box = found.box
    drawn = by_hand(local).add(found.asset_id, (box.x - 2, box.y - 2, box.width + 4, box.height + 4))
    assert drawn.landmarks_found
    both = local.faces.get_embeddings_by_point_ids([found.id, drawn.face_id])
    assert float(np.dot(both[found.id], both[drawn.face_id])) > 0.9


def test_a_moved_face_keeps_what_was_said(local: Library) -> None:
    """Its name, its rejections and that it is the cover go along; undone, all is as before."""
    found, review = some_face(local), ReviewService(local.database, "test")
    grace = review.split([found.id], "Grace").person_id
    ada = review.split([found.id], "Ada").person_id
    review.set_cover_face(ada, found.id)
    box = found.box
    moved = by_hand(local).move(found.id, (box.x + 3, box.y + 3, box.width, box.height))
    now = face(local, moved.face_id)
    assert (now.person_id, now.by_hand, face(local, found.id).is_face) == (ada, True, False)
    with local.database.read() as session:
        line = next(
            one
            for one in ExchangeService(local.database, "test").export()
            if str(moved.face_id) in one and '"kind": "face"' in one
        )
        assert str(grace) in line
        assert session.get_one(FaceInstance, moved.face_id).is_face
    review.undo(moved.decision or 0)
    assert face(local, found.id).person_id == ada
    assert not face(local, moved.face_id).is_face
    assert RebuildService(local.database).check().wrong == 0


def test_removed(local: Library, album: Path) -> None:
    """A removed face is none; undone, it is there with its name."""
    blank = album / "blank.jpg"
    made = by_hand(local).add(photo_of(local, blank), BLANK, "Ada")
    removed = by_hand(local).remove(made.face_id)
    assert shown(local, blank) == []
    ReviewService(local.database, "test").undo(removed.id or 0)
    assert shown(local, blank) == [(made.face_id, "Ada", True)]


def test_lost_embeddings_and_crops_are_made_again(local: Library, album: Path) -> None:
    """The doctor makes the embedding and the crop of a face by hand again from its box."""
    made = by_hand(local).add(photo_of(local, album / "blank.jpg"), BLANK, "Ada")
    before = local.faces.get_embeddings_by_point_ids([made.face_id])[made.face_id]
    local.faces.delete_faces([made.face_id])
    local.paths.crop(made.face_id).unlink()
    DoctorService(local.stores).examine(repair=True)
    after = local.faces.get_embeddings_by_point_ids([made.face_id])[made.face_id]
    assert np.allclose(before, after, atol=1e-5)
    assert local.paths.crop(made.face_id).exists()
    assert is_healthy(local)


@pytest.mark.parametrize(
    "box", [(300, 10, 40, 40), (0.99, 0.1, 0.2, 0.2), (10, 10, 3, 40), (10, 10, -40, 40), (10, 10, 0, 0)]
)
def test_what_is_no_box(local: Library, album: Path, box: tuple[float, float, float, float]) -> None:
    """A box outside of the photo, or of a few pixels, is refused with what a box is."""
    with pytest.raises(InvalidInputError, match="200 × 100") as refused:
        by_hand(local).add(photo_of(local, album / "blank.jpg"), box)
    assert "pixels of the upright photo" in str(refused.value.hint)


def test_a_face_that_is_there(local: Library) -> None:
    """Where a face is already none is drawn: it is said which."""
    found = some_face(local)
    box = found.box
    with pytest.raises(ConflictError, match=str(found.id)):
        by_hand(local).add(found.asset_id, (box.x, box.y, box.width, box.height))


def test_p6_a_named_region_without_a_face(tmp_path: Path, album: Path) -> None:
    """A named region where no face was found becomes a face by hand of that name; reading again changes
    nothing, and what was undone is not made again (photoprism#5712)."""
    blank = album / "blank.jpg"
    packet = digikam([("Opa", Box(0.3, 0.2, 0.2, 0.4))], (200, 100))
    blank.with_name("blank.jpg.xmp").write_bytes(packet)
    settings = Settings(
        library=tmp_path / "library", engine="synthetic", offline=True, workers=1, names_from_metadata=True
    )
    put_database(settings.library)
    with open_library(settings, lambda _: None, no_bar) as library:
        bind(library)
        done = index_photos(library.stores, [album], actor="test", watch=no_bar)
        assert done.names is not None
        assert (done.names.by_hand, done.names.unmatched, done.names.named) == (1, 0, 1)
        ((face_id, name, is_by_hand),) = shown(library, blank)
        assert (name, is_by_hand) == ("Opa", True)
        assert face(library, face_id).box.center == pytest.approx((80, 40))
        again = index_photos(library.stores, [album], actor="test", watch=no_bar)
        assert again.names is not None
        assert (again.names.by_hand, again.names.named) == (0, 0)
        assert is_healthy(library)
        ReviewService(library.database, "test").undo(done.names.decisions[0])
        index_photos(library.stores, [album], actor="test", watch=no_bar)
        assert shown(library, blank) == []


@pytest.mark.parametrize("with_history", [True, False])
def test_they_move_to_another_library(
    local: Library, album: Path, tmp_path: Path, with_history: bool
) -> None:
    """An export has faces by hand; the library that imports it makes them of its own photos."""
    blank = album / "blank.jpg"
    by_hand(local).add(photo_of(local, blank), BLANK, "Ada")
    lines = list(ExchangeService(local.database, "test").export())
    if not with_history:
        lines = [line for line in lines if '"kind": "decision"' not in line]
    (tmp_path / "other").mkdir()
    with library_on("embedded", tmp_path / "other") as other:
        IndexService(other.stores).index([album])
        report = ExchangeService(other.database, "test", FaceDrawer(other.stores)).load(lines)
        assert (report.unmatched, report.history) == (0, with_history)
        assert [(name, drawn) for _, name, drawn in shown(other, blank)] == [("Ada", True)]
        other.payload_sender.send()
        assert is_healthy(other)
        again = ExchangeService(other.database, "test", FaceDrawer(other.stores)).load(lines)
        assert again.changed == 0
