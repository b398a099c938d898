"""Completes drafts to questions with all that they show: a fixed number of statements, and one fetch."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from image_search_service.core.errors import UnavailableError
from image_search_service.db.models import ClusterRow
from image_search_service.db.queries import clusters as cluster_queries
from image_search_service.db.queries.review import clusters as queries, persons as person_queries
from image_search_service.db.queries.review.clusters import ClusterFace, ShownFace
from image_search_service.db.queries.review.persons import NamedCover
from image_search_service.db.session import Session
from image_search_service.library.stores import Stores
from image_search_service.services.people.versions import version_of
from image_search_service.services.review.drafts import (
    SHOWN_FACES,
    ClusterContent,
    PageContent,
    PairContent,
    card,
    similarity_of,
)
from image_search_service.services.review.nearest import FETCH_BATCH, least_alike
from image_search_service.services.review.order import Draft
from image_search_service.services.review.questions import (
    PairSide,
    PersonCard,
    Question,
    QuestionCluster,
    QuestionFace,
    QuestionKind,
    QuestionSuggestion,
)
from image_search_service.vector.embedding_batch import EmbeddingBatch

EXAMINED = 200
"""The clearest faces of a group among which the least alike are looked for."""
LEAST_ALIKE = 2
SHOWN_PHOTOS = 3
SHOWN_BESIDE = 3
SHOWN_OF_A_PAIR = 6
SHARED_PHOTOS = 6


@dataclass(slots=True)
class _Read:
    """What the database says of all that the questions show."""

    faces: dict[uuid.UUID, ShownFace] = field(default_factory=dict)
    members: dict[uuid.UUID, list[uuid.UUID]] = field(default_factory=dict)
    years: dict[uuid.UUID, tuple[int, int]] = field(default_factory=dict)
    beside: dict[uuid.UUID, list[tuple[uuid.UUID, int]]] = field(default_factory=dict)
    cards: dict[uuid.UUID, NamedCover] = field(default_factory=dict)
    waiting: dict[uuid.UUID, list[uuid.UUID]] = field(default_factory=dict)
    of_person: dict[uuid.UUID, list[uuid.UUID]] = field(default_factory=dict)
    together: dict[frozenset[uuid.UUID], tuple[int, list[uuid.UUID]]] = field(default_factory=dict)
    chosen: dict[uuid.UUID, list[uuid.UUID]] = field(default_factory=dict)
    odd: set[uuid.UUID] = field(default_factory=set)


class QuestionFiller:
    """Fills drafts. While Qdrant is unavailable, no face is marked as least alike."""

    def __init__(self, stores: Stores) -> None:
        self._database = stores.database
        self._faces = stores.faces
        self._thresholds = stores.thresholds

    def fill(self, drafts: Sequence[Draft]) -> list[Question]:
        """At most a few drafts; one whose faces are all gone meanwhile is left out."""
        contents = [draft.content for draft in drafts]
        asked = [content.compared.cluster.id for content in contents if isinstance(content, ClusterContent)]
        with self._database.read() as session:
            examined = queries.clearest_faces(session, asked, EXAMINED) if asked else []
        read = _Read()
        self._choose(examined, read)
        with self._database.read() as session:
            _read(session, drafts, asked, read)
        return [question for draft in drafts if (question := self._question(draft, read)) is not None]

    def _choose(self, examined: Sequence[ClusterFace], read: _Read) -> None:
        """Of each group the clearest faces and the two least alike."""
        batch = self._embeddings([face.point_id for face in examined])
        rows = {point: row for row, point in enumerate(batch.ids)}
        groups: dict[uuid.UUID, list[ClusterFace]] = {}
        for face in examined:
            groups.setdefault(face.cluster_id, []).append(face)
        for cluster, faces in groups.items():
            odd = least_alike(faces, rows, batch.matrix)[:LEAST_ALIKE] if len(faces) > LEAST_ALIKE else []
            best = [face.id for face in faces if face.id not in odd][: SHOWN_FACES - len(odd)]
            read.chosen[cluster] = [*best, *odd]
            read.odd |= set(odd)

    def _embeddings(self, point_ids: Sequence[uuid.UUID]) -> EmbeddingBatch:
        """Those that are there; none while Qdrant is away."""
        try:
            embeddings = self._faces.get_embeddings_by_point_ids(point_ids, FETCH_BATCH)
        except UnavailableError:
            return EmbeddingBatch([], np.empty((0, 1), dtype=np.float32))
        return EmbeddingBatch.from_mapping(embeddings)

    def _question(self, draft: Draft, read: _Read) -> Question | None:
        match draft.content:
            case ClusterContent() as content:
                return _about_cluster(draft, content, read)
            case PageContent() as content:
                return self._page(draft, content, read)
            case PairContent() as content:
                return _pair(draft, content, read)
            case PersonCard() as person:
                face_ids = read.of_person.get(person.id, [])
                return Question(
                    draft.id,
                    draft.kind,
                    draft.value,
                    person=person,
                    faces=_faces([*face_ids[:1], *face_ids[-1:]], read),
                )
            case _:
                rows = [(_cluster(row, read), row.representative_face_id) for row in draft.content]
                return Question(draft.id, draft.kind, draft.value, clusters=rows)

    def _page(self, draft: Draft, content: PageContent, read: _Read) -> Question | None:
        shown = [
            QuestionSuggestion(
                suggestion.id,
                suggestion.face_instance_id,
                read.faces[suggestion.face_instance_id].face.asset_id,
                read.faces[suggestion.face_instance_id].taken_at,
                self._thresholds.likeness(similarity_of(suggestion)),
                suggestion.margin,
                similarity_of(suggestion),
                chance,
            )
            for suggestion, chance in content.suggestions
            if suggestion.face_instance_id in read.faces
        ]
        if not shown:
            return None
        version = version_of(read.waiting.get(content.person.id, []))
        return Question(draft.id, draft.kind, draft.value, version, person=content.person, suggestions=shown)


def _read(session: Session, drafts: Sequence[Draft], asked: Sequence[uuid.UUID], read: _Read) -> None:
    pages = [draft.content for draft in drafts if isinstance(draft.content, PageContent)]
    pairs = [draft.content for draft in drafts if isinstance(draft.content, PairContent)]
    aged = [draft.content.id for draft in drafts if draft.kind is QuestionKind.BIRTH_DATE]
    aside = [row.id for draft in drafts if draft.kind is QuestionKind.SET_ASIDE for row in draft.content]
    if asked or aside:
        read.members = cluster_queries.members_of(session, [*asked, *aside])
        read.years = queries.years_of(session, [*asked, *aside])
    if asked:
        read.beside = queries.persons_beside(session, asked)
        beside = {person for each in read.beside.values() for person, _ in each[:SHOWN_BESIDE]}
        read.cards = person_queries.cards(session, beside)
    if pages:
        read.waiting = person_queries.waiting_ids(session, [page.person.id for page in pages])
    if persons := [*aged, *(side.id for pair in pairs for side in (pair.left, pair.right))]:
        read.of_person = person_queries.faces_by_person(session, persons)
    if pairs:
        read.together = person_queries.photos_together(
            session, [(pair.left.id, pair.right.id) for pair in pairs], SHARED_PHOTOS
        )
    shown = {face for faces in read.chosen.values() for face in faces}
    shown |= {suggestion.face_instance_id for page in pages for suggestion, _ in page.suggestions}
    shown |= {face for face_ids in read.of_person.values() for face in spread(face_ids, SHOWN_OF_A_PAIR)}
    if shown:
        shown_faces = queries.shown_faces(session, queries.among(sorted(shown)))
        read.faces = {shown_face.face.id: shown_face for shown_face in shown_faces}


def _about_cluster(draft: Draft, content: ClusterContent, read: _Read) -> Question | None:
    row = content.compared.cluster
    faces = _faces(read.chosen.get(row.id, []), read)
    if not faces:
        return None
    beside = [read.cards[person] for person, _ in read.beside.get(row.id, []) if person in read.cards]
    return Question(
        draft.id,
        draft.kind,
        draft.value,
        version_of(read.members.get(row.id, [])),
        cluster=_cluster(row, read),
        faces=faces,
        photos=list(dict.fromkeys(face.asset_id for face in faces))[:SHOWN_PHOTOS],
        with_persons=[card(person) for person in beside[:SHOWN_BESIDE]],
        proposals=content.proposals,
    )


def _cluster(row: ClusterRow, read: _Read) -> QuestionCluster:
    members = read.members.get(row.id, [])
    years = read.years.get(row.id, (None, None))
    return QuestionCluster(row.id, len(members), version_of(members), row.confidence, *years)


def _pair(draft: Draft, content: PairContent, read: _Read) -> Question:
    count, photos = read.together.get(frozenset((content.left.id, content.right.id)), (0, []))
    return Question(
        draft.id,
        draft.kind,
        draft.value,
        left=_side(content.left, read),
        right=_side(content.right, read),
        shared_photos=count,
        photo_ids=photos,
        similarity=content.similarity,
    )


def _side(person: PersonCard, read: _Read) -> PairSide:
    face_ids = read.of_person.get(person.id, [])
    return PairSide(
        person, len(face_ids), version_of(face_ids), _faces(spread(face_ids, SHOWN_OF_A_PAIR), read)
    )


def spread(items: Sequence[uuid.UUID], number: int) -> list[uuid.UUID]:
    """At most ``number`` of them, from the first to the last, evenly."""
    if len(items) <= number:
        return list(items)
    return [items[round(place * (len(items) - 1) / (number - 1))] for place in range(number)]


def _faces(face_ids: Sequence[uuid.UUID], read: _Read) -> list[QuestionFace]:
    """Those that are there, in this order."""
    return [
        _face(read.faces[face_id], least_alike=face_id in read.odd)
        for face_id in dict.fromkeys(face_ids)
        if face_id in read.faces
    ]


def _face(shown: ShownFace, *, least_alike: bool) -> QuestionFace:
    face = shown.face
    return QuestionFace(
        face.id,
        face.asset_id,
        shown.taken_at,
        face.box,
        shown.photo_width,
        shown.photo_height,
        shown.path,
        least_alike,
    )
