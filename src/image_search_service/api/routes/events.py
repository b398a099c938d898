"""One stream of everything that happens in the library."""

from __future__ import annotations

import time
from collections.abc import Iterator

from fastapi import APIRouter
from fastapi.sse import EventSourceResponse, ServerSentEvent

from image_search_service.api.deps import Opened, StillLetIn
from image_search_service.api.schemas.jobs import Job
from image_search_service.api.schemas.library import DecisionNews, LibraryOverview
from image_search_service.api.streams import RETRY_MILLISECONDS, watcher
from image_search_service.services.jobs.feed import EventFeed, FeedPosition
from image_search_service.services.photos.summary import SummaryService

router = APIRouter(tags=["jobs"])

LOOK_SECONDS = 0.5
"""Pause between two looks at the library."""
COUNT_SECONDS = 2.0
"""Least pause between two counts of it."""
SIGN_SECONDS = 2.0
"""A stream without news says so often that it lives: so soon it is noticed that nobody listens any more."""
WATCH_SECONDS = 600.0
"""After so long a stream ends; browsers open it again by themselves."""


@router.get("/events", response_class=EventSourceResponse)
def watch_library(library: Opened, still_let_in: StillLetIn) -> Iterator[ServerSentEvent]:
    """Server-sent events: `library` with its counts, at once and when they have changed; `job` with each job
    that has changed, at once those that wait or run; `decision` with each that is made, by whomever.

    A stream may end; browsers then open it again by themselves.
    """
    place = EventFeed(library.database).start()
    counts = LibraryOverview.of(SummaryService(library.database).summary())
    yield ServerSentEvent(event="library", data=counts, retry=RETRY_MILLISECONDS)
    for job in place.active:
        yield ServerSentEvent(event="job", data=Job.of(job))
    with watcher() as has_room:
        if has_room:
            yield from _Watch(library, place, counts, still_let_in).events()


class _Watch:
    """One stream that is followed."""

    def __init__(
        self, library: Opened, place: FeedPosition, counts: LibraryOverview, still_let_in: StillLetIn
    ) -> None:
        self._feed = EventFeed(library.database)
        self._summary = SummaryService(library.database)
        self._place = place
        self._counts = counts
        self._still_let_in = still_let_in
        self._is_counted = True

    def events(self) -> Iterator[ServerSentEvent]:
        ends = time.monotonic() + WATCH_SECONDS
        counted = shown = time.monotonic()
        while time.monotonic() < ends:
            time.sleep(LOOK_SECONDS)
            if not self._still_let_in():
                return
            for event in self._news():
                shown = time.monotonic()
                yield event
            if not self._is_counted and time.monotonic() - counted >= COUNT_SECONDS:
                counted = time.monotonic()
                yield from self._changed_counts()
            if time.monotonic() - shown >= SIGN_SECONDS:
                shown = time.monotonic()
                yield ServerSentEvent(comment="")

    def _news(self) -> Iterator[ServerSentEvent]:
        self._place, news = self._feed.look(self._place)
        for job in news.jobs:
            yield ServerSentEvent(event="job", data=Job.of(job))
        for made in news.decisions:
            yield ServerSentEvent(event="decision", data=DecisionNews.of(made))
        if news.jobs or news.decisions:
            self._is_counted = False

    def _changed_counts(self) -> Iterator[ServerSentEvent]:
        self._is_counted = True
        counts = LibraryOverview.of(self._summary.summary())
        if counts != self._counts:
            self._counts = counts
            yield ServerSentEvent(event="library", data=counts)
