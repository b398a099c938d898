"""Searches for faces that may be a person, with prototypes or centroids, and stores them as suggestions.

All persons of a call share one fetch, one search and one transaction, each in batches. Qdrant finds
candidates; SQL decides, in the transaction that stores them, which are assigned, rejected or known.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby, islice
from operator import attrgetter
from pathlib import Path

from image_search_service.core.errors import ConflictError, InvalidInputError, NotFoundError
from image_search_service.core.records.suggestions import SuggestionRecord
from image_search_service.core.types import FloatArray, Progress, SearchMethod
from image_search_service.db.models import utc_now
from image_search_service.db.queries import events, faces as face_queries, suggestion_states as queries
from image_search_service.db.queries.faces import PersonFacePoint
from image_search_service.db.queries.suggestion_states import NamedSuggestion
from image_search_service.db.queries.suggestions import prototypes as prototype_queries
from image_search_service.faces.candidates import Candidate, Source, candidates
from image_search_service.faces.second_best import compare_with_others
from image_search_service.faces.suggestion_store import FindMoreRun, SearchOptions, SuggestionSource, remember
from image_search_service.library.stores import Stores
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.suggestions.prototypes import PrototypeService
from image_search_service.services.suggestions.similar import FaceSimilarity, Resemblance, ResembledPerson
from image_search_service.vector.batching import FETCH_BATCH
from image_search_service.vector.collections import UNNAMED_FACES, FaceMatch

PERSONS_AT_ONCE = 100
DEFAULT_PROTOTYPES = 10
DEFAULT_LIMIT = 50
SHOWN_PERSONS = 10
"""The most persons in the explanation of a face's suggestions."""
MOST_FOUND = 5_000
"""The most faces that one search returns."""
MIN_FACES_FOR_CENTROID = 5
"""The fewest faces for a search by centroid; a mean of fewer reflects the photos more than the person."""


@dataclass(frozen=True, slots=True)
class PendingSuggestion:
    """A face that may be a person. second_name: the second most similar person. path: a file that shows
    it."""

    suggestion: SuggestionRecord
    second_name: str | None
    path: Path | None


@dataclass(frozen=True, slots=True)
class ExplainedSuggestion:
    """A suggestion with its reasons. needed: the similarity to a centroid from which it would be assigned.

    resembles: faces that humans assigned to the person, the most similar first.
    """

    suggestion: SuggestionRecord
    person_name: str
    second_name: str | None
    needed: float
    resembles: list[FaceSimilarity]


FindSources = Callable[[Sequence[uuid.UUID], FindMoreRun], tuple[list[Source], FloatArray]]
"""What to search with for some persons: sources and their embeddings ``(n, d)``, row for row."""


class SuggestionService:
    """Finds and stores suggestions. Raises UnavailableError; then nothing of the current group is stored."""

    def __init__(self, stores: Stores) -> None:
        self._database = stores.database
        self._faces = stores.faces
        self._thresholds = stores.thresholds
        self._centroid_service = CentroidService(stores)
        self._centroids_in_memory = stores.centroids_in_memory
        self._prototype_service = PrototypeService(stores)
        self._resemblance = Resemblance(stores)

    def find_more(
        self,
        person_id: uuid.UUID | Sequence[uuid.UUID],
        *,
        prototypes: int = DEFAULT_PROTOTYPES,
        limit: int = DEFAULT_LIMIT,
        min_confidence: float | None = None,
        progress: Progress | None = None,
    ) -> FindMoreRun:
        """Search for faces similar to the best ``prototypes`` faces of one person, or of each of many.

        limit: new suggestions for each person. min_confidence: −1 to 1, by default derived from the engine
        and the number of comparisons (``Thresholds.suggest_among``).
        """

        def find(ids: Sequence[uuid.UUID], run: FindMoreRun) -> tuple[list[Source], FloatArray]:
            return self._fetched(self._best_faces(ids, prototypes), run)

        return self._find(person_id, self._wanted("prototype", limit, min_confidence), find, progress)

    def find_more_multi_prototype(
        self,
        person_id: uuid.UUID | Sequence[uuid.UUID],
        *,
        limit: int = DEFAULT_LIMIT,
        min_confidence: float | None = None,
        progress: Progress | None = None,
    ) -> FindMoreRun:
        """Search for faces similar to any prototype of the person; missing prototypes are chosen first."""
        wanted = self._wanted("multi_prototype", limit, min_confidence)
        return self._find(person_id, wanted, self._prototypes, progress)

    def find_more_centroid(
        self,
        person_id: uuid.UUID | Sequence[uuid.UUID],
        *,
        limit: int = DEFAULT_LIMIT,
        min_confidence: float | None = None,
        progress: Progress | None = None,
    ) -> FindMoreRun:
        """Search for faces similar to the person's centroid; a stale one is computed first.

        Raises ConflictError for a single person with fewer than five faces; of many, such persons are
        counted.
        """
        wanted = self._wanted("centroid", limit, min_confidence)
        run = self._find(person_id, wanted, self._fresh_centroids, progress)
        if isinstance(person_id, uuid.UUID) and run.too_few_faces:
            raise ConflictError(
                f"The person {person_id} has fewer than {MIN_FACES_FOR_CENTROID} faces, too few for a mean.",
                hint="Look with prototypes instead, or name more of their faces first.",
            )
        return run

    def find_more_by(
        self,
        method: SearchMethod,
        person_id: uuid.UUID | Sequence[uuid.UUID],
        *,
        limit: int = DEFAULT_LIMIT,
        min_confidence: float | None = None,
        progress: Progress | None = None,
    ) -> FindMoreRun:
        """Search with the given method."""
        search = {
            SearchMethod.PROTOTYPES: self.find_more,
            SearchMethod.MULTI_PROTOTYPE: self.find_more_multi_prototype,
            SearchMethod.CENTROID: self.find_more_centroid,
        }[method]
        return search(person_id, limit=limit, min_confidence=min_confidence, progress=progress)

    def suggestions_for_face(self, face_id: uuid.UUID, limit: int = 5) -> list[ResembledPerson]:
        """``Resemblance.persons_like``."""
        return self._resemblance.persons_like(face_id, limit)

    def pending(self, person_id: uuid.UUID, limit: int = DEFAULT_LIMIT) -> list[PendingSuggestion]:
        """A person's pending suggestions, the most similar first."""
        with self._database.read() as session:
            rows = queries.pending_of_person(session, person_id, limit)
        return [PendingSuggestion(*row) for row in rows]

    def explain(self, suggestion_id: uuid.UUID) -> ExplainedSuggestion:
        """A suggestion with its reasons: one fetch, one search, and a few statements.

        Raises NotFoundError for an unknown suggestion.
        """
        with self._database.read() as session:
            row = queries.with_names(session, suggestion_id)
        if row is None:
            raise NotFoundError(f"There is no suggestion {suggestion_id}.")
        return self._explained([row])[0]

    def explain_face(self, face_id: uuid.UUID, limit: int = SHOWN_PERSONS) -> list[ExplainedSuggestion]:
        """All pending suggestions of one face with their reasons, the most similar person first."""
        with self._database.read() as session:
            rows = queries.waiting_of_face(session, face_id, limit)
        return self._explained(rows) if rows else []

    def _explained(self, rows: Sequence[NamedSuggestion]) -> list[ExplainedSuggestion]:
        """Suggestions of one face."""
        persons = [row.suggestion.person_id for row in rows]
        alike = self._resemblance.confirmed_alike(rows[0].point_id, persons)
        needed = self._thresholds.assign_to_centroid
        return [
            ExplainedSuggestion(
                row.suggestion,
                row.person_name,
                row.second_name,
                needed,
                alike.get(row.suggestion.person_id, []),
            )
            for row in rows
        ]

    def expire_old(self, days: int) -> int:
        """Withdraw suggestions that are pending for longer; returns how many. They may be found again."""
        with self._database.write() as session:
            events.take_turn(session)
            return queries.expire_pending(session, utc_now() - timedelta(days=days))

    def _best_faces(self, person_ids: Sequence[uuid.UUID], number: int) -> list[Source]:
        with self._database.read() as session:
            person_faces = face_queries.faces_of_persons(session, person_ids)
        return [
            _face_source(face.person_id, face.id, face.point_id)
            for _, own_faces in groupby(person_faces, attrgetter("person_id"))
            for face in sorted(own_faces, key=_best_quality_first)[:number]
        ]

    def _prototypes(
        self, person_ids: Sequence[uuid.UUID], run: FindMoreRun
    ) -> tuple[list[Source], FloatArray]:
        sources = self._prototype_sources(person_ids)
        if lacking := sorted(set(person_ids) - {source.person_id for source in sources}):
            self._prototype_service.compute_prototypes(lacking)
            sources = self._prototype_sources(person_ids)
        return self._fetched(sources, run)

    def _prototype_sources(self, person_ids: Sequence[uuid.UUID]) -> list[Source]:
        with self._database.read() as session:
            prototypes = prototype_queries.prototypes_of(session, person_ids)
        return [
            _face_source(prototype.person_id, prototype.face_id, prototype.point_id)
            for prototype in prototypes
            if prototype.is_theirs
        ]

    def _fresh_centroids(
        self, person_ids: Sequence[uuid.UUID], run: FindMoreRun
    ) -> tuple[list[Source], FloatArray]:
        with self._database.read() as session:
            counts = face_queries.face_counts(session, person_ids)
        enough = [person_id for person_id, count in counts if count >= MIN_FACES_FOR_CENTROID]
        run.too_few_faces += len(counts) - len(enough)
        self._centroid_service.compute_centroids(enough)
        active = self._centroid_service.active_centroids(enough)
        pairs = zip(active.person_ids, active.centroid_ids, strict=True)
        return [
            Source(person, "centroid_id", centroid_id, centroid_id) for person, centroid_id in pairs
        ], active.matrix

    def _fetched(self, sources: list[Source], run: FindMoreRun) -> tuple[list[Source], FloatArray]:
        """The sources that have an embedding, with their embeddings."""
        ids = [source.point_id for source in sources]
        batch = self._faces.get_embeddings_by_point_ids(ids)
        run.embeddings_missing += len(batch.missing)
        return [source for source in sources if source.point_id in batch], batch.matrix

    # Searching and remembering

    def _find(
        self,
        person_id: uuid.UUID | Sequence[uuid.UUID],
        wanted: SearchOptions,
        find_sources: FindSources,
        progress: Progress | None,
    ) -> FindMoreRun:
        wanted_ids = [person_id] if isinstance(person_id, uuid.UUID) else person_id
        person_ids = self._existing(wanted_ids)
        run = FindMoreRun(unknown_persons=len(set(wanted_ids)) - len(person_ids))
        for start in range(0, len(person_ids), PERSONS_AT_ONCE):
            group = person_ids[start : start + PERSONS_AT_ONCE]
            candidates = self._search(group, wanted, find_sources, run)
            with self._database.write() as session:
                events.take_turn(session)  # another job may find the same faces at the same time
                remember(session, group, candidates, wanted, run)
            run.persons += len(group)
            if progress is not None:
                progress(run.persons, len(person_ids))
        return run

    def _existing(self, person_ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
        """Those who exist: others may have been merged since they were asked for. Raises NotFoundError if
        nobody does."""
        with self._database.read() as session:
            existing = [person_id for person_id, _ in face_queries.face_counts(session, person_ids)]
        if person_ids and not existing:
            raise NotFoundError(f"There is no person {', '.join(map(str, sorted(set(person_ids))))}.")
        return existing

    def _search(
        self, group: Sequence[uuid.UUID], wanted: SearchOptions, find_sources: FindSources, run: FindMoreRun
    ) -> list[Candidate]:
        """The candidates of each person: ``limit`` and as many more as are known already."""
        sources, matrix = find_sources(group, run)
        if not sources:
            return []
        with self._database.read() as session:
            known = queries.known_counts(session, group)
            min_similarity = wanted.min_similarity
            if min_similarity is None:
                pairs = face_queries.count_unnamed(session) * _most_of_one_person(sources)
                min_similarity = self._thresholds.suggest_among(pairs)
        number = min(wanted.limit + max(known.values(), default=0), MOST_FOUND)
        matches = self._faces.search_many(matrix, number, min_similarity, UNNAMED_FACES)
        run.searched += len(sources)
        every = groupby(candidates(sources, matches), attrgetter("person_id"))
        shown = [
            candidate
            for person, of_person in every
            for candidate in islice(of_person, wanted.limit + known.get(person, 0))
        ]
        self._give_reasons(shown, matches, min_similarity)
        return shown

    def _give_reasons(
        self, shown: Sequence[Candidate], matches: Sequence[Sequence[FaceMatch]], min_similarity: float
    ) -> None:
        """Why each is shown, and why the second best person is not it: a fetch of the faces found, in
        batches, and a product with everybody's centroid."""
        for candidate in shown:
            candidate.threshold = min_similarity
        if not shown:
            return
        points = {match.payload.face_instance_id: match.point_id for these in matches for match in these}
        face_ids = sorted({candidate.face_id for candidate in shown})
        batch = self._faces.get_embeddings_by_point_ids([points[face] for face in face_ids], FETCH_BATCH)
        with self._database.read() as session:
            rejected = queries.rejected_pairs(session, face_ids)
        rows = {point_id: row for row, point_id in enumerate(batch.ids)}
        here = {face: rows[points[face]] for face in face_ids if points[face] in rows}
        compare_with_others(shown, here, batch.matrix, self._centroids_in_memory.now(), rejected)

    def _wanted(self, source: SuggestionSource, limit: int, min_confidence: float | None) -> SearchOptions:
        if limit < 1:
            raise InvalidInputError(f"limit is {limit}, it must be 1 or more.")
        return SearchOptions(source, limit, min_confidence)


def _most_of_one_person(sources: Sequence[Source]) -> int:
    """The largest number of sources of one person; each source adds false matches of its own."""
    return max(Counter(source.person_id for source in sources).values())


def _face_source(person_id: uuid.UUID, face_id: uuid.UUID, point_id: uuid.UUID) -> Source:
    return Source(person_id, "face_instance_id", face_id, point_id)


def _best_quality_first(face: PersonFacePoint) -> tuple[float, uuid.UUID]:
    return -face.quality, face.id
