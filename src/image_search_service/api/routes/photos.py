"""Indexing: folders to choose from, the job, and files that could not be read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query

from image_search_service.api.deps import Folders, HasKey, Jobs, Opened, Photos
from image_search_service.api.errors import problems
from image_search_service.api.pagination import CursorText, Limit, decode_cursor, next_cursor, whole_number
from image_search_service.api.schemas.jobs import Job
from image_search_service.api.schemas.library import LibraryOverview
from image_search_service.api.schemas.photos import (
    PATH_LENGTH,
    FailedPhoto,
    FailedPhotoPage,
    FolderListing,
    IndexRequest,
)
from image_search_service.services.indexing.roots import RootService
from image_search_service.services.indexing.watching import index_parameters
from image_search_service.services.jobs.service import JobKind
from image_search_service.services.photos.summary import SummaryService

router = APIRouter(tags=["photos"])


@router.get("/library")
def get_library(library: Opened) -> LibraryOverview:
    """What the library holds, in numbers."""
    return LibraryOverview.of(SummaryService(library.database).summary())


@router.get("/folders", responses=problems(404))
def list_folders(
    folders: Folders,
    path: Annotated[
        str | None,
        Query(
            max_length=PATH_LENGTH,
            description="A folder below the allowed roots; omit it for the roots themselves.",
            examples=["/photos"],
        ),
    ] = None,
) -> FolderListing:
    """Folders of the machine that runs the service, to choose from which to index."""
    return FolderListing.of(folders.listing(None if path is None else Path(path)))


@router.post("/photos/index", status_code=202)
def index_photos(
    request: IndexRequest, folders: Folders, photos: Photos, jobs: Jobs, library: Opened, has_key: HasKey
) -> Job:
    """Find the photos below these folders and the faces in them, as a job, then group the faces.

    Its `progress` and `result` say how far it is: photos seen, per second, faces, failures. At the end
    `result.report` is what the command `image-search index` prints.
    """
    roots = RootService(library.database)
    given = [Path(path) for path in request.paths]
    paths = folders.checked(given, photos.is_known, of_library=roots.paths(), anywhere=has_key)
    paths = paths or roots.topmost()
    parameters = index_parameters(
        paths, retry_failed=request.retry_failed, names_from_metadata=request.names_from_metadata
    )
    return Job.of(jobs.submit(JobKind.DETECT_FACES, parameters))


@router.get("/photos/failed")
def list_failed_photos(photos: Photos, cursor: CursorText = None, limit: Limit = 50) -> FailedPhotoPage:
    """Files that could not be read, and why; those that wait for another try come last."""
    after = decode_cursor(cursor, whole_number, whole_number)
    page = photos.failed((after[0], bool(after[1])) if after else (0, False), limit)
    return FailedPhotoPage(
        items=[FailedPhoto.of(item) for item in page.items],
        next_cursor=next_cursor(page.items, limit, lambda item: (item.number, int(item.waits))),
        total=page.total,
    )
