"""What a library shows of its photos."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from image_search_service.core.records.photos import PhotoFilter, PhotoOrder
from image_search_service.library.engine import no_watch
from image_search_service.library.health import library_counts
from image_search_service.library.opening import Library
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.forgetting.service import ForgettingService
from image_search_service.services.indexing.pipeline import index_photos
from image_search_service.services.indexing.report import IndexReport
from image_search_service.services.people.lookup import PeopleService
from image_search_service.services.photos.photos import PhotoCatalogue


@dataclass(frozen=True)
class Shown:
    """An open library and the folder that is indexed into it."""

    opened: Library
    folder: Path

    @property
    def forgetting(self) -> ForgettingService:
        return ForgettingService(self.opened.database, "test")

    @property
    def review(self) -> ReviewService:
        return ReviewService(self.opened.database, "test")

    def index(self, *folders: Path) -> IndexReport:
        roots = list(folders) or [self.folder]
        return index_photos(self.opened.stores, roots, actor="test", watch=no_watch).report

    def name_largest_group(self, name: str) -> None:
        largest = PeopleService(self.opened.database).people().clusters[0]
        self.review.name_cluster(largest.id.hex, name)

    def paths(self) -> list[Path | None]:
        """The path that each photo is shown with."""
        catalogue = PhotoCatalogue(self.opened.database)
        page = catalogue.page(PhotoFilter(), PhotoOrder.OLDEST_FIRST, 0, 500)
        return [item.photo.path for item in page.items]

    def photos_of(self, name: str) -> list[Path | None]:
        return [photo.path for photo in PeopleService(self.opened.database).photos([name])]

    def faces_of(self, name: str) -> int:
        persons = PeopleService(self.opened.database).people().persons
        return next((person.faces for person in persons if person.name == name), 0)

    def counts(self) -> tuple[int, int, int]:
        """Photos that are there, photos that are missing, faces."""
        counts = library_counts(self.opened)
        return counts.photos, counts.photos_missing, counts.faces

    def stored(self) -> tuple[int, int, int]:
        """Embeddings, crops and thumbnails."""
        paths = self.opened.paths
        crops, thumbnails = (list(folder.rglob("*.jpg")) for folder in (paths.crops, paths.thumbnails))
        return self.opened.faces.count(), len(crops), len(thumbnails)
