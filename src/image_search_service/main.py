"""The web application: an open library behind the HTTP API, with workers for its jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from image_search_service.api.app import build_app
from image_search_service.bootstrap import Library, open_library
from image_search_service.core.config import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

STOP_SECONDS = 10.0
"""How long a job that runs may take to its next step when the service ends."""


def create_app(settings: Settings) -> FastAPI:
    """The application; it opens the library when it starts and closes it when it ends.

    Its start raises LibraryInUseError, NewerLibraryError or UnavailableError.
    """
    return _app(settings, lambda: open_library(settings, _untold, _unwatched), runs_jobs(settings))


def create_app_on(library: Library, *, run_jobs: bool | None = None) -> FastAPI:
    """The application on a library that is open, and stays open when it ends.

    run_jobs: whether it runs the library's jobs; None: unless ``image-search worker`` can do it.
    """
    here = runs_jobs(library.settings) if run_jobs is None else run_jobs
    return _app(library.settings, lambda: nullcontext(library), here)


def _app(
    settings: Settings, opened: Callable[[], AbstractContextManager[Library]], run_jobs: bool
) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with opened() as library, _workers(library) if run_jobs else nullcontext():
            app.state.library = library
            yield

    return build_app(settings, lifespan)


def runs_jobs(settings: Settings) -> bool:
    """Whether the service runs its jobs itself: unless ``image-search worker`` can do it."""
    return not settings.stores_are_shared or settings.redis_url is None


@contextmanager
def _workers(library: Library) -> Iterator[None]:
    workers = library.workers()
    workers.start()
    try:
        yield
    finally:
        workers.stop(STOP_SECONDS)


def _untold(_message: str) -> None:
    """Nobody reads notes."""


@contextmanager
def _unwatched(_what: str, _unit: str) -> Iterator[Callable[[int, int | None], None]]:
    """Nobody watches a bar."""
    yield lambda _done, _total: None
