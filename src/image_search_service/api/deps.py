"""Dependencies of routes: the open library and its services; ``main`` puts it into the application."""

from __future__ import annotations

from typing import Annotated, Final, cast
from urllib.parse import unquote

from fastapi import Depends, Header, Request

from image_search_service.core.access_token import is_key
from image_search_service.core.errors import InvalidInputError
from image_search_service.core.names import clean_name
from image_search_service.library.opening import Library
from image_search_service.services.jobs.service import JobService
from image_search_service.services.people.clusters import ClusterCatalogue
from image_search_service.services.people.faces import FaceCatalogue
from image_search_service.services.people.persons import PersonCatalogue
from image_search_service.services.photos.folders import FolderService
from image_search_service.services.photos.photos import PhotoCatalogue
from image_search_service.services.photos.pictures import PictureService
from image_search_service.services.suggestions.catalogue import SuggestionCatalogue


def open_library(request: Request) -> Library:
    return cast(Library, request.app.state.library)


Opened = Annotated[Library, Depends(open_library)]


def _with_embeddings(library: Opened) -> Library:
    """Raises LostEmbeddingsError: what compares faces does not go by a part of them."""
    library.stores.require_embeddings()
    return library


Complete = Annotated[Library, Depends(_with_embeddings)]
"""The library, for a route that compares faces: its embeddings are all there."""


def _faces(library: Opened) -> FaceCatalogue:
    return FaceCatalogue(library.database)


def _clusters(library: Opened) -> ClusterCatalogue:
    return ClusterCatalogue(library.database)


def _persons(library: Opened) -> PersonCatalogue:
    return PersonCatalogue(library.database)


def _photos(library: Opened) -> PhotoCatalogue:
    return PhotoCatalogue(library.database)


def _pictures(library: Opened) -> PictureService:
    return library.pictures


def _folders(library: Opened) -> FolderService:
    return FolderService(library.settings.photo_folders)


def _suggestions(library: Opened) -> SuggestionCatalogue:
    return SuggestionCatalogue(library.database, lambda: library.stores.thresholds)


def _jobs(library: Opened) -> JobService:
    return JobService(library.database, library.job_queue.enqueue)


ACTOR: Final = "api"
"""Who decides, of requests that do not say it."""
MOST_OF_A_NAME: Final = 128


def _actor(
    x_actor: Annotated[
        str | None,
        Header(
            description="Who decides, kept with the decision: a name, percent-encoded. A proxy that knows "
            "its users can set it.",
            examples=["ada"],
        ),
    ] = None,
) -> str:
    """Raises InvalidInputError for a name that is none."""
    if x_actor is None:
        return ACTOR
    shown, _ = clean_name(unquote(x_actor))
    if len(shown) > MOST_OF_A_NAME:
        raise InvalidInputError(f"X-Actor is longer than {MOST_OF_A_NAME} characters.")
    return shown


def _has_key(
    library: Opened,
    x_library_key: Annotated[
        str | None, Header(description="The library's key: of commands that hand over their work.")
    ] = None,
) -> bool:
    return is_key(x_library_key, library.paths.key)


HasKey = Annotated[bool, Depends(_has_key)]
"""Whether a command asks whose user can write in the library's folder."""

Actor = Annotated[str, Depends(_actor)]
Clusters = Annotated[ClusterCatalogue, Depends(_clusters)]
Faces = Annotated[FaceCatalogue, Depends(_faces)]
Folders = Annotated[FolderService, Depends(_folders)]
Jobs = Annotated[JobService, Depends(_jobs)]
Persons = Annotated[PersonCatalogue, Depends(_persons)]
Photos = Annotated[PhotoCatalogue, Depends(_photos)]
Pictures = Annotated[PictureService, Depends(_pictures)]
Suggestions = Annotated[SuggestionCatalogue, Depends(_suggestions)]
