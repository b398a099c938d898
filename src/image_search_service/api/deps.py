"""What routes need: the open library, as far as HTTP may use it. ``main`` puts it into the application."""

from __future__ import annotations

from typing import Annotated, Final, cast
from urllib.parse import unquote

from fastapi import Depends, Header, Request

from image_search_service.core.errors import InvalidInputError
from image_search_service.core.names import clean_name
from image_search_service.library.opening import Library
from image_search_service.services.jobs.service import JobService
from image_search_service.services.people.views import BrowseService


def open_library(request: Request) -> Library:
    return cast(Library, request.app.state.library)


def _browse(library: Annotated[Library, Depends(open_library)]) -> BrowseService:
    return BrowseService(library.stores)


def _jobs(library: Annotated[Library, Depends(open_library)]) -> JobService:
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


Actor = Annotated[str, Depends(_actor)]
Opened = Annotated[Library, Depends(open_library)]
Browse = Annotated[BrowseService, Depends(_browse)]
Jobs = Annotated[JobService, Depends(_jobs)]
