"""Dependencies of routes: the open library and its services; ``main`` puts it into the application.

Those that only put an object together are ``async``: each other one waits for a thread of the server's 40.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final, cast
from urllib.parse import unquote

from fastapi import Depends, Header, Request

from image_search_service.core.access_token import Caller, is_key
from image_search_service.library.opening import Library
from image_search_service.services.access_tokens import AccessTokenService, actor_name
from image_search_service.services.jobs.service import JobService
from image_search_service.services.people.clusters import ClusterCatalogue
from image_search_service.services.people.faces import FaceCatalogue
from image_search_service.services.people.persons import PersonCatalogue
from image_search_service.services.photos.folders import FolderService
from image_search_service.services.photos.photos import PhotoCatalogue
from image_search_service.services.photos.pictures import PictureService
from image_search_service.services.suggestions.catalogue import SuggestionCatalogue


def library_of(request: Request) -> Library:
    return cast(Library, request.app.state.library)


async def _opened(request: Request) -> Library:
    return library_of(request)


Opened = Annotated[Library, Depends(_opened)]


def _with_embeddings(library: Opened) -> Library:
    """Raises LostEmbeddingsError: what compares faces does not go by a part of them."""
    library.stores.require_embeddings()
    return library


Complete = Annotated[Library, Depends(_with_embeddings)]
"""The library, for a route that compares faces: its embeddings are all there."""


async def _faces(library: Opened) -> FaceCatalogue:
    return FaceCatalogue(library.database)


async def _clusters(library: Opened) -> ClusterCatalogue:
    return ClusterCatalogue(library.database)


async def _persons(library: Opened) -> PersonCatalogue:
    return PersonCatalogue(library.database)


async def _photos(library: Opened) -> PhotoCatalogue:
    return PhotoCatalogue(library.database)


def _pictures(library: Opened) -> PictureService:
    return library.pictures


async def _folders(library: Opened) -> FolderService:
    return FolderService(library.settings.photo_folders)


async def _suggestions(library: Opened) -> SuggestionCatalogue:
    return SuggestionCatalogue(library.database, lambda: library.stores.thresholds)


async def _jobs(library: Opened) -> JobService:
    return JobService(library.database, library.enqueue)


def caller_of(request: Request) -> Caller | None:
    """Whose token the request has, as ``TokenGuard`` found; None where no token is asked for."""
    return getattr(request.state, "caller", None)


async def _still_let_in(request: Request, library: Opened) -> Callable[[], bool]:
    """Asks, of a request that lasts, whether its token has been removed meanwhile."""
    caller = caller_of(request)
    if caller is None or caller.name is None:
        return lambda: True
    return lambda: AccessTokenService(library.database).caller(caller.token) is not None


StillLetIn = Annotated[Callable[[], bool], Depends(_still_let_in)]

ACTOR: Final = "api"
"""Who decides, of requests with the library's own token that do not say it."""


async def _actor(
    request: Request,
    x_actor: Annotated[
        str | None,
        Header(
            description="Who decides, kept with the decision: a name, percent-encoded. It counts with the "
            "library's own token and with tokens that may name others, such as that of a proxy which knows "
            "its users; of any other token the decisions are those of whoever was given it.",
            examples=["ada"],
        ),
    ] = None,
) -> str:
    """Raises InvalidInputError for a name that is none."""
    caller = caller_of(request)
    if caller is not None and caller.fixed_name is not None:
        return caller.fixed_name
    if x_actor is not None:
        return actor_name(unquote(x_actor))
    return ACTOR if caller is None or caller.name is None else caller.name


async def _may_name_others(request: Request) -> bool:
    caller = caller_of(request)
    return caller is None or caller.may_name_others


MayNameOthers = Annotated[bool, Depends(_may_name_others)]
"""Whether decisions that the request brings may be recorded as somebody else's."""


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
