"""Files that are not whole, and libraries that are not ready for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from image_search_service.core.errors import ConflictError, InvalidInputError
from image_search_service.db.models import PersonRow
from image_search_service.db.queries import library as library_queries
from image_search_service.db.session import Database
from image_search_service.recognition.engines.synthetic import SyntheticEngine
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.exchange.lines import VERSION
from image_search_service.services.exchange.service import ExchangeService
from tests.support.world import World, migrated_database

END = '{"kind": "end"}'


def library(folder: Path, person: str | None = None) -> Database:
    """Three photos with a face each, all of ``person`` if there is one."""
    folder.mkdir()
    database = migrated_database(folder)
    with database.write() as session:
        library_queries.bind_engine(session, SyntheticEngine.identity, {})
        world = World(session)
        photos = [world.photo(f"/{number}.jpg") for number in range(3)]
        for number, photo in enumerate(photos):
            photo.content_hash = f"{number}" * 64
        faces = [world.face(photo).id for photo in photos]
    if person is not None:
        ReviewService(database, "ada").split(faces, person)
    return database


def names(database: Database) -> list[str]:
    with database.read() as session:
        return sorted(session.scalars(select(PersonRow.name).where(~PersonRow.deleted)))


@pytest.fixture
def lines(tmp_path: Path) -> list[str]:
    with closing(library(tmp_path / "origin", "Ada")) as origin:
        return list(ExchangeService(origin, "test").export())


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Database]:
    with closing(library(tmp_path / "there")) as database:
        yield database


def test_a_file_that_was_cut_off_is_refused(lines: list[str], there: Database) -> None:
    """Wherever it ends too early, be it between two lines, nothing is taken over."""
    for length in range(len(lines)):
        with pytest.raises(InvalidInputError, match="Line "):
            ExchangeService(there, "test").load(lines[:length])
    assert names(there) == []


def test_nothing_comes_after_the_end(lines: list[str], there: Database) -> None:
    """Two files in one are not one."""
    with pytest.raises(InvalidInputError, match=f"Line {len(lines) + 1} .* after the end"):
        ExchangeService(there, "test").load([*lines, END])


def test_a_newer_file_says_what_to_do(lines: list[str], there: Database) -> None:
    """Not the file is wrong, the program is old."""
    header = lines[0].replace(f'"version": {VERSION}', f'"version": {VERSION + 1}')
    with pytest.raises(InvalidInputError, match="newer version") as refused:
        ExchangeService(there, "test").load([header, *lines[1:]])
    assert "Update" in str(refused.value.hint)


def test_photos_come_before_names(lines: list[str], tmp_path: Path) -> None:
    """A library without faces takes nothing, so that it still gets the history when its photos are there."""
    (tmp_path / "empty").mkdir()
    with closing(migrated_database(tmp_path / "empty")) as empty:
        with pytest.raises(ConflictError, match="no faces yet"):
            ExchangeService(empty, "test").load(lines)
        assert names(empty) == []


class BusyExchange(ExchangeService):
    """Somebody decides after the file was checked and before anything is taken over."""

    meanwhile: Callable[[], object]

    def _require_faces(self) -> None:
        super()._require_faces()
        self.meanwhile()


def test_what_was_decided_meanwhile_is_not_mixed_with_another_history(
    lines: list[str], there: Database
) -> None:
    """The library is no longer one without decisions: it takes the present state, which can be taken back."""
    review = ReviewService(there, "test")
    exchange = BusyExchange(there, "test")
    exchange.meanwhile = lambda: review.create_person("Emmy")
    report = exchange.load(lines)
    assert (report.history, report.matched) == (False, 3)
    assert names(there) == ["Ada", "Emmy"]
    for decision in report.undo:
        review.undo(decision)
    assert names(there) == ["Emmy"]
