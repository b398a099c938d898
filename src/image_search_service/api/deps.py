"""What routes need: the open library, as far as HTTP may use it. ``main`` puts it into the application."""

from __future__ import annotations

from typing import Annotated, Final, Protocol, cast
from urllib.parse import unquote

from fastapi import Depends, Header, Request

from image_search_service.core.config import Settings
from image_search_service.core.errors import InvalidInputError
from image_search_service.core.names import clean_name
from image_search_service.core.paths import LibraryPaths
from image_search_service.db.models import LibraryRow
from image_search_service.db.session import Database
from image_search_service.services.backup.service import BackupService
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.decisions.history import HistoryService
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.exchange.service import ExchangeService
from image_search_service.services.health.readiness import ReadinessService
from image_search_service.services.jobs.service import JobService
from image_search_service.services.people.views import BrowseService
from image_search_service.services.suggestions.conflicts import ConflictService
from image_search_service.services.suggestions.explanation import ExplanationService
from image_search_service.services.suggestions.search import SuggestionService


class OpenLibrary(Protocol):
    """The part of ``bootstrap.Library`` that the API calls."""

    settings: Settings
    paths: LibraryPaths
    database: Database

    def bound_engine(self) -> LibraryRow | None: ...

    def backup_service(self) -> BackupService: ...

    def browse_service(self) -> BrowseService: ...

    def centroid_service(self) -> CentroidService: ...

    def job_service(self) -> JobService: ...

    def suggestion_service(self) -> SuggestionService: ...

    def explanation_service(self) -> ExplanationService: ...

    def readiness_service(self) -> ReadinessService: ...

    def review_service(self, actor: str) -> ReviewService: ...

    def history_service(self) -> HistoryService: ...

    def conflict_service(self) -> ConflictService: ...

    def exchange_service(self, actor: str) -> ExchangeService: ...

    def backlog(self) -> int: ...

    def tell_qdrant_if_it_answers(self) -> None: ...


def open_library(request: Request) -> OpenLibrary:
    return cast(OpenLibrary, request.app.state.library)


def _browse(library: Annotated[OpenLibrary, Depends(open_library)]) -> BrowseService:
    return library.browse_service()


def _jobs(library: Annotated[OpenLibrary, Depends(open_library)]) -> JobService:
    return library.job_service()


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
Opened = Annotated[OpenLibrary, Depends(open_library)]
Browse = Annotated[BrowseService, Depends(_browse)]
Jobs = Annotated[JobService, Depends(_jobs)]
