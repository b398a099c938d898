"""Random sequences of decisions, jobs, undos and restarts: what a human said stays said.

More of them: ``IMAGE_SEARCH_TEST_SEQUENCES=5000 pytest tests/contract/test_decision_properties.py``.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from image_search_service.core.errors import ConflictError, InvalidInputError, NotFoundError
from image_search_service.db.models import (
    Cluster,
    FaceDifference,
    FaceInstance,
    FaceSuggestion,
    Person,
    PersonDifference,
    PersonPrototype,
)
from image_search_service.db.queries import clusters
from image_search_service.db.queries import faces as face_queries
from image_search_service.db.session import Database, sqlite_url
from image_search_service.faces.engines.synthetic import SyntheticEngine
from image_search_service.services.rebuild_service import RebuildService
from image_search_service.services.review_service import ReviewService
from image_search_service.vector.centroid_qdrant import CentroidQdrantClient
from image_search_service.vector.collections import FacePayload, FacePoint
from image_search_service.vector.embedded import EmbeddedQdrant
from image_search_service.vector.face_qdrant import FaceQdrantClient
from tests.support.served import DIMENSION, alike, directions
from tests.support.services import Services
from tests.support.world import World, migrated_database

SEQUENCES = int(os.environ.get("IMAGE_SEARCH_TEST_SEQUENCES", "50"))
STEPS = 25
LOOKS, EACH = 3, 5
NAMES = ("Ada", "Grace", "Emmy", "Mary")
REFUSALS = (ConflictError, InvalidInputError, NotFoundError)

Said = dict[str, Any]


class Stores:
    """One collection of faces for all sequences, and a database to copy for each."""

    def __init__(self) -> None:
        self.folder = TemporaryDirectory(prefix="decisions")
        root = Path(self.folder.name)
        self.qdrant = EmbeddedQdrant(root / "qdrant")
        self.faces = FaceQdrantClient(self.qdrant, "faces", DIMENSION)
        self.faces.ensure_collection()
        self.template = root / "library.sqlite3"
        self.looks: dict[int, list[uuid.UUID]] = {}
        database = migrated_database(root)
        with database.write() as session:
            world = World(session)
            for look in range(LOOKS):
                embeddings = alike(directions(LOOKS, seed=5)[look], EACH, spread=0.4, seed=look)
                for number, embedding in enumerate(embeddings):
                    # the first faces of two looks are in one photo
                    face = world.face(world.photo(f"/{look}-{number}.jpg"))
                    payload = FacePayload(face.id, face.asset_id)
                    self.faces.upsert_faces([FacePoint(face.id, embedding, payload)])
                    self.looks.setdefault(look, []).append(face.id)
        database.close()

    def copy(self) -> Path:
        made = Path(self.folder.name) / f"{uuid.uuid4().hex}.sqlite3"
        shutil.copyfile(self.template, made)
        return made


class Decisions(RuleBasedStateMachine):
    """A library, what was said so far as a simple model has it, and everything that may happen."""

    stores: ClassVar[Stores]

    def __init__(self) -> None:
        super().__init__()
        self.path = self.stores.copy()
        self.centroids = CentroidQdrantClient(self.stores.qdrant, f"c_{self.path.stem}", DIMENSION)
        self.centroids.ensure_collection()
        self.database = Database(sqlite_url(self.path))
        with self.database.read() as session:
            self.faces = sorted(session.scalars(select(FaceInstance.id)))
        self.looks = self.stores.looks
        self.owner: dict[uuid.UUID, uuid.UUID] = {}
        """Whose a face is by a human's word."""
        self.before: dict[int, Said] = {}
        """What was said before each decision."""

    def teardown(self) -> None:
        self.database.close()
        self.stores.qdrant.delete_collection(self.centroids.collection_name)
        self.path.unlink()

    @property
    def services(self) -> Services:
        return Services(self.database, self.stores.faces, self.centroids, SyntheticEngine.thresholds)

    @property
    def review(self) -> ReviewService:
        return ReviewService(self.database, "hypothesis")

    def some(self, numbers: list[int]) -> list[uuid.UUID]:
        return sorted({self.faces[number % len(self.faces)] for number in numbers})

    def persons(self) -> list[uuid.UUID]:
        with self.database.read() as session:
            return sorted(session.scalars(select(Person.id).where(~Person.gone)))

    def person(self, number: int) -> uuid.UUID:
        there = self.persons()
        return there[number % len(there)] if there else uuid.UUID(int=1)

    def said(self) -> Said:
        """Everything that a human has said, from the tables."""
        with self.database.read() as session:
            faces = session.execute(select(FaceInstance.id, FaceInstance.person_id, FaceInstance.assigned_by))
            rejected = session.execute(
                select(FaceSuggestion.face_instance_id, FaceSuggestion.person_id).where(
                    FaceSuggestion.state == "rejected"
                )
            )
            return {
                "owner": {row[0]: row[1] for row in faces if row[2] == "human"},
                "rejected": {(row[0], row[1]) for row in rejected},
                "pinned": {
                    (one.person_id, one.face_instance_id)
                    for one in session.scalars(select(PersonPrototype).where(PersonPrototype.pinned))
                },
                "apart": {
                    (one.difference_id, one.face_instance_id, one.side)
                    for one in session.scalars(select(FaceDifference))
                },
                "different": {
                    (one.person_id, one.other_id) for one in session.scalars(select(PersonDifference))
                },
                "persons": {
                    (one.id, one.name, one.gone, one.hidden, one.birth_date, one.cover_face_id)
                    for one in session.scalars(select(Person))
                    if not one.gone or one.merged_into
                },
            }

    def decide(self, decision: Callable[[], Any]) -> Any:
        """Make a decision that may be refused; then nothing has changed."""
        before = self.said()
        try:
            made = decision()
        except REFUSALS:
            assert self.said() == before
            return None
        number = made.decision if hasattr(made, "decision") else made.id
        if number is not None:
            self.before[number] = before
        self.owner = self.said()["owner"]
        return made

    # Decisions

    @rule(number=st.integers(0, 9), name=st.sampled_from(NAMES))
    def name_cluster(self, number: int, name: str) -> None:
        with self.database.read() as session:
            found = sorted(session.scalars(select(Cluster.id)))
        if found:
            chosen = found[number % len(found)]
            self.decide(lambda: self.review.name_cluster(chosen.hex, name))

    @rule(numbers=st.lists(st.integers(0, 99), min_size=1, max_size=4), name=st.sampled_from(NAMES))
    def split(self, numbers: list[int], name: str) -> None:
        faces = self.some(numbers)
        made = self.decide(lambda: self.review.split(faces, name))
        assert made is None or all(self.owner[face] == made.person_id for face in faces)

    @rule(numbers=st.lists(st.integers(0, 99), min_size=1, max_size=4), who=st.integers(0, 9))
    def assign(self, numbers: list[int], who: int) -> None:
        person = self.person(who)
        self.decide(lambda: self.review.assign_faces(self.some(numbers), person))

    @rule(numbers=st.lists(st.integers(0, 99), min_size=1, max_size=4))
    def unassign(self, numbers: list[int]) -> None:
        self.decide(lambda: self.review.unassign_faces(self.some(numbers)))

    @rule(numbers=st.lists(st.integers(0, 99), min_size=1, max_size=2))
    def not_a_face(self, numbers: list[int]) -> None:
        self.decide(lambda: self.review.not_a_face(self.some(numbers)))

    @rule(number=st.integers(0, 99), accepted=st.booleans())
    def answer(self, number: int, accepted: bool) -> None:
        with self.database.read() as session:
            pending = sorted(
                session.scalars(select(FaceSuggestion.id).where(FaceSuggestion.state == "pending"))
            )
        if pending:
            chosen = [pending[number % len(pending)]]
            self.decide(lambda: (self.review.accept if accepted else self.review.reject)(chosen))

    @rule(a=st.integers(0, 9), b=st.integers(0, 9))
    def merge(self, a: int, b: int) -> None:
        self.decide(lambda: self.review.merge_persons([self.person(a)], self.person(b)))

    @rule(a=st.integers(0, 9), b=st.integers(0, 9))
    def differ(self, a: int, b: int) -> None:
        self.decide(lambda: self.review.mark_different(self.person(a), self.person(b)))

    @rule(
        a=st.integers(0, 9),
        b=st.integers(0, 9),
        name=st.none() | st.sampled_from(NAMES),
        other_name=st.none() | st.sampled_from(NAMES),
    )
    def tell_groups_apart(self, a: int, b: int, name: str | None, other_name: str | None) -> None:
        """Say that two groups are different, and then perhaps who they are."""
        with self.database.read() as session:
            found = sorted(session.scalars(select(Cluster.id)))
        if found:
            one, other = (found[number % len(found)].hex for number in (a, b))
            self.decide(lambda: self.review.mark_clusters_different(one, other))
            for group, called in ((one, name), (other, other_name)):
                if called is not None:
                    self.decide(lambda group=group, called=called: self.review.name_cluster(group, called))

    @rule(number=st.integers(0, 9))
    def tell_halves_apart(self, number: int) -> None:
        """Say that two groups are different which a grouping, asked again, would join."""
        self.group_finer()
        with self.database.read() as session:
            rows = session.execute(
                select(FaceInstance.id, FaceInstance.cluster_id).where(FaceInstance.cluster_id.is_not(None))
            )
            found = dict(rows.all())
        looks = [[found[face] for face in self.looks[look] if face in found] for look in range(LOOKS)]
        groups = sorted(set(looks[number % LOOKS]))
        if len(groups) > 1:
            self.decide(lambda: self.review.mark_clusters_different(groups[0].hex, groups[1].hex))

    @rule(number=st.integers(0, 9), who=st.integers(0, 9))
    def tell_group_from_person(self, number: int, who: int) -> None:
        with self.database.read() as session:
            found = sorted(session.scalars(select(Cluster.id)))
        if found:
            group, person = found[number % len(found)].hex, self.person(who)
            self.decide(lambda: self.review.mark_cluster_not_person(group, person))

    @rule(who=st.integers(0, 9), accepted=st.booleans())
    def answer_all(self, who: int, accepted: bool) -> None:
        person = self.person(who)
        self.decide(lambda: (self.review.accept_all if accepted else self.review.reject_all)(person))

    @rule(name=st.sampled_from(NAMES))
    def create(self, name: str) -> None:
        self.decide(lambda: self.review.create_person(name))

    @rule(who=st.integers(0, 9), number=st.integers(0, 99), pinned=st.booleans())
    def pin(self, who: int, number: int, pinned: bool) -> None:
        (face,) = self.some([number])
        self.decide(lambda: self.review.pin_prototype(self.person(who), face, pinned))

    @rule(who=st.integers(0, 9), number=st.integers(0, 99))
    def cover(self, who: int, number: int) -> None:
        (face,) = self.some([number])
        self.decide(lambda: self.review.set_cover_face(self.person(who), face))

    @rule(who=st.integers(0, 9), born=st.none() | st.dates(date(1800, 1, 1), date(2020, 1, 1)))
    def birth(self, who: int, born: date | None) -> None:
        self.decide(lambda: self.review.set_birth_date(self.person(who), born))

    @rule(who=st.integers(0, 9), name=st.sampled_from(NAMES))
    def rename(self, who: int, name: str) -> None:
        self.decide(lambda: self.review.rename_person(self.person(who), name))

    @rule(who=st.integers(0, 9), hidden=st.booleans())
    def hide(self, who: int, hidden: bool) -> None:
        self.decide(lambda: self.review.set_hidden(self.person(who), hidden))

    @rule()
    def undo_the_last(self) -> None:
        """Undoing the last decision leaves what was said before it."""
        number = self.review.latest()
        if number in self.before:
            expected = self.before[number]
            assert self.decide(lambda: self.review.undo(number)) is not None
            assert self.said() == expected

    @rule(number=st.integers(1, 40))
    def undo_any(self, number: int) -> None:
        self.decide(lambda: self.review.undo(number))

    # Jobs and restarts

    @rule()
    def group(self) -> None:
        self.services.clustering_service().group()

    @rule()
    def group_finer(self) -> None:
        """What a grouping that joins less would have found: each cluster in two."""
        with self.database.write() as session:
            members: dict[uuid.UUID, list[uuid.UUID]] = {}
            rows = session.execute(
                select(FaceInstance.cluster_id, FaceInstance.id)
                .where(FaceInstance.cluster_id.is_not(None))
                .order_by(FaceInstance.id)
            )
            for cluster, face in rows:
                members.setdefault(cluster, []).append(face)
            for faces in members.values():
                new = uuid.uuid4()
                row = {"id": new, "size": 0, "confidence": 0.5, "representative_face_id": faces[0]}
                clusters.save_clusters(session, [row])
                clusters_of = dict.fromkeys(faces[: len(faces) // 2], new)
                face_queries.set_clusters(session, clusters_of)
            clusters.mend_clusters(session, {*members, *session.scalars(select(Cluster.id))})

    @rule()
    def assign_by_machine(self) -> None:
        self.services.face_assigner().assign_new_faces()

    @rule()
    def compute_centroids(self) -> None:
        self.services.centroid_service().compute_centroids()
        self.services.prototype_service().compute_prototypes()

    @rule()
    def suggest(self) -> None:
        if persons := self.persons():
            self.services.suggestion_service().find_more(persons, min_confidence=0.2)

    @rule()
    def tell_qdrant(self) -> None:
        self.services.send_due_payloads()

    @rule()
    def restart(self) -> None:
        self.database.close()
        self.database = Database(sqlite_url(self.path))

    # What must hold whatever happens

    @invariant()
    def no_job_overrules_a_human(self) -> None:
        assert self.said()["owner"] == self.owner

    @invariant()
    def nobody_who_is_gone_has_a_face(self) -> None:
        with self.database.read() as session:
            gone = select(Person.id).where(Person.gone)
            assert (
                session.scalars(select(FaceInstance.id).where(FaceInstance.person_id.in_(gone))).all() == []
            )

    @invariant()
    def what_was_rejected_does_not_come_back(self) -> None:
        with self.database.read() as session:
            rejected = self.said()["rejected"]
            waiting = session.execute(
                select(FaceSuggestion.face_instance_id, FaceSuggestion.person_id).where(
                    FaceSuggestion.state == "pending"
                )
            )
            owned = session.execute(
                select(FaceInstance.id, FaceInstance.person_id).where(FaceInstance.person_id.is_not(None))
            )
            assert not rejected & {(row[0], row[1]) for row in waiting}
            assert not rejected & {(row[0], row[1]) for row in owned}

    @invariant()
    def what_was_called_different_is_not_joined(self) -> None:
        with self.database.read() as session:
            mine, theirs = aliased(FaceDifference), aliased(FaceDifference)
            one, other = aliased(FaceInstance), aliased(FaceInstance)
            together = (
                select(one.id)
                .join(mine, mine.face_instance_id == one.id)
                .join(theirs, (theirs.difference_id == mine.difference_id) & (theirs.side != mine.side))
                .join(other, other.id == theirs.face_instance_id)
            )
            assert session.scalars(together.where(one.cluster_id == other.cluster_id)).all() == []
            assert session.scalars(together.where(one.person_id == other.person_id)).all() == []
            waiting = together.join(FaceSuggestion, FaceSuggestion.face_instance_id == one.id).where(
                FaceSuggestion.state == "pending", FaceSuggestion.person_id == other.person_id
            )
            assert session.scalars(waiting).all() == []
            into = dict(
                session.execute(
                    select(Person.id, Person.merged_into).where(Person.merged_into.is_not(None))
                ).all()
            )

            def final(person: uuid.UUID) -> uuid.UUID:
                while person in into:
                    person = into[person]
                return person

            pairs = session.execute(select(PersonDifference.person_id, PersonDifference.other_id)).all()
            assert [pair for pair in pairs if final(pair[0]) == final(pair[1])] == []

    @invariant()
    def clusters_are_what_nobody_has_named(self) -> None:
        with self.database.read() as session:
            both = select(FaceInstance).where(
                FaceInstance.person_id.is_not(None), FaceInstance.cluster_id.is_not(None)
            )
            assert session.scalars(both).all() == []
            members = dict(
                session.execute(
                    select(FaceInstance.cluster_id, func.count())
                    .where(FaceInstance.cluster_id.is_not(None))
                    .group_by(FaceInstance.cluster_id)
                ).all()
            )
            assert {one.id: one.size for one in session.scalars(select(Cluster))} == members

    @invariant()
    def the_tables_follow_from_the_events(self) -> None:
        report = RebuildService(self.database).check()
        assert report.wrong == 0, report.examples


def test_what_was_said_stays_said() -> None:
    """No sequence of decisions, jobs, undos and restarts breaks any of the rules above."""
    Decisions.stores = Stores()
    try:
        Decisions.TestCase.settings = settings(
            max_examples=SEQUENCES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            derandomize="IMAGE_SEARCH_TEST_SEQUENCES" not in os.environ,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        Decisions.TestCase("runTest").runTest()
    finally:
        Decisions.stores.qdrant.close()
        Decisions.stores.folder.cleanup()
