"""The web application: an open library behind the HTTP API and the pages, with workers for its jobs."""

from __future__ import annotations

import gc
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

from image_search_service.api.app import build_app
from image_search_service.core.access_token import read_or_create_token
from image_search_service.core.blas import one_thread_for_each_product
from image_search_service.core.config import Settings
from image_search_service.core.errors import ImageSearchError
from image_search_service.library.opening import Library
from image_search_service.library.workers import running_workers
from image_search_service.services.jobs.feed import EventFeed
from image_search_service.web.pages import add_pages, token_page

if TYPE_CHECKING:
    from fastapi import FastAPI

COLLECTION_THRESHOLDS = (10_000, 10, 100)
"""New objects from which on the young are looked through, and how many such collections make an older one."""
STOP_SECONDS = 10.0
"""How long a job that runs may take to its next step when the service ends."""


def create_app(library: Library, *, run_jobs: bool | None = None) -> FastAPI:
    """The application on a library that is open, and stays open when it ends.

    run_jobs: whether it runs the library's jobs; None: unless ``image-search worker`` can do it.
    Raises InvalidInputError for settings that would let others in, and for a token's file without a token.
    """
    here = runs_jobs(library.settings) if run_jobs is None else run_jobs
    token = read_or_create_token(library.paths.token) if library.settings.require_token else None

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with running_workers(library, STOP_SECONDS) if here else nullcontext():
            app.state.library = library
            yield

    app = build_app(library.settings, lifespan, token=token, token_page=token_page)
    add_pages(app, EventFeed(library.database).bookmark)
    return app


def read_ahead(library: Library) -> threading.Thread:
    """Read in a thread what the first search for a face's person would wait for: everybody's centroid, and
    the packages that compare them. Trouble is left to that search, which tells whoever waits for it."""

    def read() -> None:
        with suppress(ImageSearchError):
            library.stores.centroids_in_memory.now()

    thread = threading.Thread(target=read, name="reading ahead", daemon=True)
    thread.start()
    return thread


def prepare_to_serve() -> None:
    """Settle how this process multiplies arrays and collects garbage; call it once, before serving.

    Libraries and routes are some hundred thousand objects that stay as long as the process, and Qdrant's
    models, which the first search loads, as many again. A full collection looks at each of them, while nobody
    is answered, and one long list is enough to start it: so they become short and rare.
    """
    one_thread_for_each_product()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTION_THRESHOLDS)


def runs_jobs(settings: Settings) -> bool:
    """Whether the service runs its jobs itself: unless ``image-search worker`` can do it."""
    return not settings.stores_are_shared or settings.redis_url is None
