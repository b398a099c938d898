"""The queue of questions: what to ask next, so that each second of the user's time names most faces.

Costs a fixed number of statements and two fetches of faces, whatever the number of clusters, suggestions and
persons, and what the array of centroids costs after a decision (``CentroidsInMemory.now``). Only the largest
clusters are compared with persons: a question about a smaller one names fewer faces, and it is among the
largest as soon as these have been answered.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from image_search_service.core.errors import DataIntegrityError, UnavailableError
from image_search_service.core.logging import get_logger
from image_search_service.db.models import ClusterRow, utc_now
from image_search_service.db.queries.review import answers, clusters as cluster_queries, persons as queries
from image_search_service.db.queries.review.persons import NamedCover, WaitingSuggestion
from image_search_service.library.stores import Stores
from image_search_service.recognition.review_queue import Chances
from image_search_service.services.review import drafts as make
from image_search_service.services.review.filling import QuestionFiller
from image_search_service.services.review.history import ReviewHistory, learned
from image_search_service.services.review.nearest import ComparedCluster, NearestPersons
from image_search_service.services.review.order import AWAY_DAYS, Draft, next_drafts
from image_search_service.services.review.questions import (
    NamingProgress,
    NextQuestions,
    SeenQuestions,
    seen,
    subject_of,
)

log = get_logger(__name__)

LARGEST = 30
"""Clusters that are compared with persons for one answer."""
PERSONS = 6
"""Persons with most suggestions, of whom pages are made."""
MOST_SEEN = 72
"""Suggestions of one person that may have been shown in this sitting, beyond those that are looked at."""
LEARNED_FROM = 200
"""Decisions from which chances are learned."""
SMALL_CLUSTERS = 200


def next_questions(stores: Stores, limit: int, seen_ids: Sequence[str] = ()) -> NextQuestions:
    """As ``ReviewQueueService.next``; of a library in which nothing was indexed yet, nothing is asked.

    Raises LostEmbeddingsError."""
    if stores.binding.row() is None:
        return NextQuestions([])
    with suppress(UnavailableError):
        stores.require_embeddings()
    return ReviewQueueService(stores).next(limit, seen_ids)


class ReviewQueueService:
    """Says what to ask next. Without Qdrant it asks what needs no comparison."""

    def __init__(self, stores: Stores) -> None:
        self._database = stores.database
        self._thresholds = stores.thresholds
        self._nearest = NearestPersons(stores)
        self._filler = QuestionFiller(stores)

    def next(self, limit: int, seen_ids: Sequence[str] = ()) -> NextQuestions:
        """The questions that come next, the best first; none of ``seen_ids``, those of this sitting.

        Raises InvalidInputError for what is no question's id.
        """
        shown = seen(seen_ids)
        with self._database.read() as session:
            history = learned(answers.last_decisions(session, LEARNED_FROM))
            skips = answers.skips(session, utc_now() - timedelta(days=AWAY_DAYS))
            progress = NamingProgress(*answers.progress(session))
        drafts = self._drafts(history, shown)
        by_subject = {skip.subject: skip for skip in skips}
        chosen = next_drafts(drafts, by_subject, shown, history.latest, limit)
        return NextQuestions(self._filler.fill(chosen), progress)

    def skip(self, question_id: str) -> None:
        """Put a question off: behind fifty others, and the third time for a month.

        Raises InvalidInputError for what is no question's id.
        """
        subject = subject_of(question_id)
        with self._database.write() as session:
            last = answers.last_decisions(session, 1)
            answers.add_skip(session, subject, last[0].id if last else 0)

    def _drafts(self, history: ReviewHistory, shown: SeenQuestions) -> list[Draft]:
        chances = Chances(self._thresholds).calibrated(history.proposals)
        with self._database.read() as session:
            largest = cluster_queries.largest_clusters(session, shown.clusters, LARGEST)
            small = cluster_queries.small_clusters(
                session, make.MOST_OF_STRANGERS, make.CROWD, SMALL_CLUSTERS
            )
            persons = [person for person, _ in queries.most_waiting(session, PERSONS)]
            each = make.PAGE + min(len(shown.pages), MOST_SEEN)
            waiting = queries.best_waiting(session, persons, each) if persons else []
            rejected = make.often_rejected(history)
            spans = queries.age_spans(session, rejected) if rejected else []
        compared = self._compared(largest)
        pairs: dict[frozenset[uuid.UUID], float | None] = dict.fromkeys(
            make.close_pairs(waiting, self._thresholds)
        )
        cards, different = self._persons(compared, waiting, pairs, rejected)
        asked = {person: named for person, named in cards.items() if not named.hidden}
        pages = make.page_drafts(waiting, asked, chances, history, shown)
        aside = make.aside_drafts(small, shown)
        return [
            *make.without_strangers(make.cluster_drafts(compared, cards, chances), aside),
            *pages,
            *make.pair_drafts(pairs, pages, asked, different),
            *make.birth_drafts(spans, asked, history),
            *aside,
        ]

    def _compared(self, largest: Sequence[ClusterRow]) -> list[ComparedCluster]:
        try:
            return self._nearest.of_clusters(largest, self._thresholds.assign_to_centroid)
        except (UnavailableError, DataIntegrityError):
            log.warning("nobody_is_proposed", clusters=len(largest))
            return [ComparedCluster(row) for row in largest]

    def _persons(
        self,
        compared: Sequence[ComparedCluster],
        waiting: Sequence[WaitingSuggestion],
        pairs: dict[frozenset[uuid.UUID], float | None],
        rejected: Sequence[uuid.UUID],
    ) -> tuple[dict[uuid.UUID, NamedCover], set[frozenset[uuid.UUID]]]:
        """Those whom the drafts may name, and who of them were said to be two."""
        wanted = {person for cluster in compared for person, _ in cluster.persons}
        in_pairs = {person for pair in pairs for person in pair}
        wanted |= {suggestion.person_id for suggestion in waiting} | in_pairs | {*rejected}
        with self._database.read() as session:
            cards = queries.cards(session, sorted(wanted)) if wanted else {}
            different = queries.different_pairs(session, in_pairs) if pairs else set()
        return cards, different
