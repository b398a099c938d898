"""One stream of everything that happens in the library."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from image_search_service.api.deps import Opened, StillLetIn
from image_search_service.api.schemas.common import Answer
from image_search_service.api.schemas.jobs import Job
from image_search_service.api.schemas.library import DecisionNews, LibraryOverview
from image_search_service.api.streams import RETRY_MILLISECONDS, watcher
from image_search_service.services.jobs.feed import EventFeed, FeedPosition, FeedUpdate
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
def watch_library(
    library: Opened,
    still_let_in: StillLetIn,
    last_event_id: Annotated[
        str | None,
        Header(description="The `id` of the last event that was seen; browsers send it by themselves."),
    ] = None,
    after: Annotated[str | None, Query(description="The same, for who cannot set a header.")] = None,
) -> Iterator[ServerSentEvent]:
    """Server-sent events: `library` with its counts, at once and when they have changed; `job` with each job
    that has changed, at once those that wait or run; `decision` with each that is made, by whomever.

    A stream may end; browsers then open it again by themselves. Whoever says which event was the last, to
    whichever service of the library, is told what happened since: of ended jobs the last hundred.
    """
    place, missed = EventFeed(library.database).resume(last_event_id or after or "")
    counts = LibraryOverview.of(SummaryService(library.database).summary())
    yield from _told(place, [("library", counts), *_events(missed)])
    with watcher() as has_room:
        if has_room:
            yield from _Watch(library, place, counts, still_let_in).events()


def _events(news: FeedUpdate) -> list[tuple[str, Answer]]:
    """The kind and content of each event."""
    decisions = [("decision", DecisionNews.of(made)) for made in news.decisions]
    return [*(("job", Job.of(job)) for job in news.jobs), *decisions]


def _told(place: FeedPosition, events: Sequence[tuple[str, Answer]]) -> Iterator[ServerSentEvent]:
    """The events, after the last of which the watcher is at ``place``."""
    for number, (kind, data) in enumerate(events, 1):
        bookmark = place.bookmark if number == len(events) else None
        yield ServerSentEvent(event=kind, data=data, id=bookmark, retry=RETRY_MILLISECONDS)


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
        yield from _told(self._place, _events(news))
        if news.jobs or news.decisions:
            self._is_counted = False

    def _changed_counts(self) -> Iterator[ServerSentEvent]:
        self._is_counted = True
        counts = LibraryOverview.of(self._summary.summary())
        if counts != self._counts:
            self._counts = counts
            yield from _told(self._place, [("library", counts)])
