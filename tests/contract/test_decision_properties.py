"""Random sequences of decisions, jobs, undos and restarts: what a human said stays said.

A run takes thousands of them, always the same; others, and more:
``IMAGE_SEARCH_TEST_SEQUENCES=20000 pytest tests/contract/test_decision_properties.py``.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import text

from image_search_service.core.errors import ConflictError, InvalidInputError, NotFoundError
from image_search_service.db.queries import clusters
from image_search_service.db.queries import faces as face_queries
from image_search_service.db.queries import library as library_queries
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
from tests.support.told import Told, uid
from tests.support.world import World, migrated_database

SEQUENCES = int(os.environ.get("IMAGE_SEARCH_TEST_SEQUENCES", "2200"))
WITH_JOBS = 0.2
"""The share of sequences in which jobs run, too; each takes several times as long."""
STEPS = 14
LOOKS, EACH = 3, 5
NAMES = ("Ada", "Grace", "Emmy", "Mary")
REFUSALS = (ConflictError, InvalidInputError, NotFoundError)
FAST = Path("/dev/shm")  # noqa: S108 - a folder of our own in it, where syncing to the disk costs nothing
SELDOM = st.sampled_from([False] * 7 + [True])

WIPE = (
    "UPDATE face_instances SET person_id = NULL, assigned_by = NULL WHERE assigned_by = 'human'",
    "UPDATE face_instances SET group_id = NULL, is_face = TRUE",
    "DELETE FROM face_suggestions WHERE state = 'rejected'",
    "UPDATE person_prototypes SET pinned = FALSE",
    "DELETE FROM person_differences",
    "DELETE FROM face_differences",
    "UPDATE face_instances SET person_id = NULL, assigned_by = NULL WHERE assigned_by = 'machine'",
    """UPDATE persons SET gone = TRUE, merged_into = NULL, hidden = FALSE, birth_date = NULL,
        cover_face_id = NULL, name = 'somebody', name_key = 'somebody'""",
)
"""Takes everything that a human said out of the tables, but not the events."""


class Stores:
    """One collection of faces for all sequences, and a database to copy for each, in which the faces are
    grouped, somebody has a name, and something waits for a decision."""

    def __init__(self) -> None:
        self.folder = TemporaryDirectory(prefix="decisions", dir=FAST if FAST.is_dir() else None)
        root = Path(self.folder.name)
        self.qdrant = EmbeddedQdrant(root / "qdrant")
        self.faces = FaceQdrantClient(self.qdrant, "faces", DIMENSION)
        self.faces.ensure_collection()
        self.centroids = CentroidQdrantClient(self.qdrant, "centroids", DIMENSION)
        self.centroids.ensure_collection()
        self.template = root / "library.sqlite3"
        self.looks: dict[int, list[uuid.UUID]] = {}
        database = migrated_database(root)
        self._add_faces(database)
        services = Services(database, self.faces, self.centroids, SyntheticEngine.thresholds)
        services.clustering_service().group()
        ada = ReviewService(database, "template").split(self.looks[0][:3], "Ada").person_id
        services.send_due_payloads()
        services.suggestion_service().find_more(ada, min_confidence=0.2)
        assert Told.by(database).pending
        database.close()

    def _add_faces(self, database: Database) -> None:
        with database.write() as session:
            library_queries.bind_engine(session, SyntheticEngine.identity, {})
            world = World(session)
            for look in range(LOOKS):
                embeddings = alike(directions(LOOKS, seed=5)[look], EACH, spread=0.4, seed=look)
                for number, embedding in enumerate(embeddings):
                    face = world.face(world.photo(f"/{look}-{number}.jpg"))
                    payload = FacePayload(face.id, face.asset_id)
                    self.faces.upsert_faces([FacePoint(face.id, embedding, payload)])
                    self.looks.setdefault(look, []).append(face.id)

    def copy(self) -> Path:
        made = Path(self.folder.name) / f"{uuid.uuid4().hex}.sqlite3"
        shutil.copyfile(self.template, made)
        return made

    def close(self) -> None:
        self.qdrant.close()
        self.folder.cleanup()


Faces = st.lists(st.integers(0, LOOKS * EACH - 1), min_size=1, max_size=4)
Who = st.integers(0, 5)


class Decisions(RuleBasedStateMachine):
    """A library, and everything that humans may say of it, in any order."""

    stores: ClassVar[Stores]

    def __init__(self) -> None:
        super().__init__()
        self.path = self.stores.copy()
        self.database = Database(sqlite_url(self.path))
        self.faces = sorted(face for faces in self.stores.looks.values() for face in faces)
        self.now = Told.by(self.database)
        self.said = self.now.said()
        self.before: dict[int, Any] = {}
        """What was said before each decision."""

    def teardown(self) -> None:
        """In the end the tables follow from the events."""
        report = RebuildService(self.database).check()
        self.database.close()
        self.path.unlink()
        assert report.wrong == 0, report.examples

    @property
    def review(self) -> ReviewService:
        return ReviewService(self.database, "hypothesis")

    def some(self, numbers: list[int]) -> list[uuid.UUID]:
        return sorted({self.faces[number] for number in numbers})

    def person(self, number: int) -> uuid.UUID:
        there = self.now.persons
        return there[number % len(there)] if there else uuid.UUID(int=1)

    def cluster(self, number: int) -> str:
        there = self.now.clusters
        return (there[number % len(there)] if there else uuid.UUID(int=1)).hex

    def look(self) -> None:
        self.now = Told.by(self.database)
        self.said = self.now.said()

    def decide(self, decision: Callable[[], Any]) -> Any:
        """Make a decision that may be refused; then nothing at all has changed."""
        before = self.now
        said = self.said
        try:
            made = decision()
        except REFUSALS:
            self.look()
            assert self.now == before
            return None
        number = made.decision if hasattr(made, "decision") else made.id
        self.look()
        assert self.now.last_decision == (number or before.last_decision)
        if number is None:
            assert self.said == said
        else:
            self.before[number] = said
        return made

    # Decisions

    @rule(number=Who, name=st.sampled_from(NAMES))
    def name_cluster(self, number: int, name: str) -> None:
        self.decide(lambda: self.review.name_cluster(self.cluster(number), name))

    @rule(numbers=Faces, name=st.sampled_from(NAMES))
    def split(self, numbers: list[int], name: str) -> None:
        faces = self.some(numbers)
        made = self.decide(lambda: self.review.split(faces, name))
        assert made is None or all(self.said["owner"][face.hex] == made.person_id.hex for face in faces)

    @rule(numbers=Faces, into=st.none() | Who)
    def group_by_hand(self, numbers: list[int], into: int | None) -> None:
        faces = self.some(numbers)
        target = None if into is None else self.cluster(into)
        made = self.decide(lambda: self.review.group_faces(faces, target))
        assert made is None or all(self.said["group"][face.hex] == made.cluster_id.hex for face in faces)

    @rule(numbers=Faces, who=Who)
    def assign(self, numbers: list[int], who: int) -> None:
        self.decide(lambda: self.review.assign_faces(self.some(numbers), self.person(who)))

    @rule(numbers=Faces)
    def unassign(self, numbers: list[int]) -> None:
        self.decide(lambda: self.review.unassign_faces(self.some(numbers)))

    @rule(numbers=Faces)
    def not_a_face(self, numbers: list[int]) -> None:
        self.decide(lambda: self.review.not_a_face(self.some(numbers[:2])))

    @rule(number=st.integers(0, 99), accepted=st.booleans())
    def answer(self, number: int, accepted: bool) -> None:
        if pending := self.now.pending:
            chosen = [pending[number % len(pending)]]
            self.decide(lambda: (self.review.accept if accepted else self.review.reject)(chosen))

    @rule(who=Who, accepted=st.booleans())
    def answer_all(self, who: int, accepted: bool) -> None:
        person = self.person(who)
        self.decide(lambda: (self.review.accept_all if accepted else self.review.reject_all)(person))

    @rule(a=Who, b=Who)
    def merge(self, a: int, b: int) -> None:
        self.decide(lambda: self.review.merge_persons([self.person(a)], self.person(b)))

    @rule(a=Who, b=Who)
    def differ(self, a: int, b: int) -> None:
        self.decide(lambda: self.review.mark_different(self.person(a), self.person(b)))

    @rule(a=Who, b=Who, name=st.none() | st.sampled_from(NAMES), other=st.none() | st.sampled_from(NAMES))
    def tell_groups_apart(self, a: int, b: int, name: str | None, other: str | None) -> None:
        """Say that two groups are different, and then perhaps who they are."""
        groups = self.cluster(a), self.cluster(b)
        self.decide(lambda: self.review.mark_clusters_different(*groups))
        for group, called in zip(groups, (name, other), strict=True):
            if called is not None:
                self.decide(lambda group=group, called=called: self.review.name_cluster(group, called))

    @rule(number=Who, who=Who)
    def tell_group_from_person(self, number: int, who: int) -> None:
        group, person = self.cluster(number), self.person(who)
        self.decide(lambda: self.review.mark_cluster_not_person(group, person))

    @rule(name=st.sampled_from(NAMES))
    def create(self, name: str) -> None:
        self.decide(lambda: self.review.create_person(name))

    @rule(who=Who, numbers=Faces, pinned=st.booleans())
    def pin(self, who: int, numbers: list[int], pinned: bool) -> None:
        face = self.some(numbers)[0]
        self.decide(lambda: self.review.pin_prototype(self.person(who), face, pinned))

    @rule(who=Who, numbers=Faces)
    def cover(self, who: int, numbers: list[int]) -> None:
        self.decide(lambda: self.review.set_cover_face(self.person(who), self.some(numbers)[0]))

    @rule(who=Who, born=st.none() | st.dates(date(1800, 1, 1), date(2020, 1, 1)))
    def birth(self, who: int, born: date | None) -> None:
        self.decide(lambda: self.review.set_birth_date(self.person(who), born))

    @rule(who=Who, name=st.sampled_from(NAMES))
    def rename(self, who: int, name: str) -> None:
        self.decide(lambda: self.review.rename_person(self.person(who), name))

    @rule(who=Who, hidden=st.booleans())
    def hide(self, who: int, hidden: bool) -> None:
        self.decide(lambda: self.review.set_hidden(self.person(who), hidden))

    @rule(numbers=Faces, name=st.sampled_from(NAMES), age=st.integers(1, 5))
    def decide_on_old_news(self, numbers: list[int], name: str, age: int) -> None:
        """What was decided on something that has changed since is refused, whole."""
        faces, seen = self.some(numbers), max(self.now.last_decision - age, 0)
        self.decide(lambda: self.review.split(faces, name, made_on=seen))

    # Taking back

    @rule()
    def undo_the_last(self) -> None:
        """Undoing the last decision leaves what was said before it, and undoing that what was said then."""
        number = self.now.last_decision
        if number in self.before:
            before, after = self.before[number], self.said
            assert self.decide(lambda: self.review.undo(number)) is not None
            assert self.said == before
            again = self.now.last_decision
            assert self.decide(lambda: self.review.undo(again)) is not None
            assert self.said == after

    @rule(number=st.integers(1, 30))
    def undo_any(self, number: int) -> None:
        self.decide(lambda: self.review.undo(number))

    @rule(really=SELDOM)
    def take_everything_back(self, really: bool) -> None:
        """Undone one after the other, nothing was ever said; these undone, everything is said again."""
        if not really:
            return
        everything = self.said
        last = self.now.last_decision
        for number in range(last, 0, -1):
            assert self.decide(lambda number=number: self.review.undo(number)) is not None
        assert not any(self.said.values())
        for number in range(self.now.last_decision, last, -1):
            assert self.decide(lambda number=number: self.review.undo(number)) is not None
        assert self.said == everything

    @rule(really=SELDOM)
    def rebuild_from_the_events(self, really: bool) -> None:
        """With everything that was said wiped from the tables, the events alone bring it back."""
        if not really:
            return
        with self.database.write() as session:
            for statement in WIPE:
                session.execute(text(statement))
        before = self.said
        RebuildService(self.database).rebuild()
        self.look()
        assert self.said == before

    # What must hold whatever happens

    @invariant()
    def nothing_is_wrong(self) -> None:
        assert self.now.wrong() == []


class DecisionsAndJobs(Decisions):
    """The same with everything that jobs may do, and restarts, in between."""

    def teardown(self) -> None:
        self.stores.centroids.reset_collection(confirm=self.stores.centroids.collection_name)
        self.stores.centroids.ensure_collection()
        super().teardown()

    @property
    def services(self) -> Services:
        return Services(self.database, self.stores.faces, self.stores.centroids, SyntheticEngine.thresholds)

    def job(self, work: Callable[[], Any]) -> None:
        """Whatever a job does, all that was said is said."""
        work()
        before = self.said
        self.look()
        assert self.said == before

    @rule()
    def group(self) -> None:
        self.job(lambda: self.services.clustering_service().group())

    @rule()
    def group_finer(self) -> None:
        self.job(self._halve_clusters)

    def _halve_clusters(self) -> None:
        """What a grouping that joins less would have found: each cluster in two."""
        members: dict[uuid.UUID, list[uuid.UUID]] = {}
        for face, _, _, cluster, group, *_ in sorted(self.now.rows["faces"]):
            if cluster is not None and group is None:
                members.setdefault(uid(cluster), []).append(uid(face))
        with self.database.write() as session:
            made = {uuid.uuid4(): faces for faces in members.values()}
            rows = [
                {"id": new, "size": 0, "confidence": 0.5, "representative_face_id": faces[0]}
                for new, faces in made.items()
            ]
            clusters.save_clusters(session, rows)
            moved = {face: new for new, faces in made.items() for face in faces[: len(faces) // 2]}
            face_queries.set_clusters(session, moved)
            clusters.mend_clusters(session, [*members, *made])

    @rule(number=Who)
    def tell_halves_apart(self, number: int) -> None:
        """Say that two groups are different which a grouping, asked again, would join."""
        self.group_finer()
        inside = {uid(row[0]): row[3] for row in self.now.rows["faces"] if row[3] is not None}
        look = self.stores.looks[number % LOOKS]
        groups = sorted({inside[face] for face in look if face in inside})
        if len(groups) > 1:
            self.decide(lambda: self.review.mark_clusters_different(groups[0], groups[1]))

    @rule()
    def assign_by_machine(self) -> None:
        self.job(lambda: self.services.face_assigner().assign_new_faces())

    @rule()
    def compute_centroids(self) -> None:
        self.job(lambda: self.services.centroid_service().compute_centroids())
        self.job(lambda: self.services.prototype_service().compute_prototypes())

    @rule()
    def suggest(self) -> None:
        if persons := self.now.persons:
            self.job(lambda: self.services.suggestion_service().find_more(persons, min_confidence=0.2))

    @rule()
    def expire(self) -> None:
        self.job(lambda: self.services.suggestion_service().expire_old(0))

    @rule()
    def tell_qdrant(self) -> None:
        """What Qdrant knows afterwards of the faces that it was told of is what the database says."""
        with self.database.read() as session:
            due = {face.point_id for face in face_queries.due_payloads(session, 1_000)}
        self.job(self.services.send_due_payloads)
        (page,) = self.stores.faces.scroll_faces()
        told = {face: (one.person_id, one.cluster_id) for face, one in page.payloads.items() if face in due}
        rows = {uid(row[0]): (row[1], row[3]) for row in self.now.rows["faces"]}
        assert told == {face: tuple(one and uid(one) for one in rows[face]) for face in due}

    @rule()
    def restart(self) -> None:
        self.database.close()
        self.database = Database(sqlite_url(self.path))


@pytest.fixture(scope="module")
def stores() -> Iterator[Stores]:
    made = Stores()
    yield made
    made.close()


@pytest.mark.parametrize(("machine", "share"), [(Decisions, 1 - WITH_JOBS), (DecisionsAndJobs, WITH_JOBS)])
def test_what_was_said_stays_said(stores: Stores, machine: type[Decisions], share: float) -> None:
    """No sequence of decisions, undos, jobs and restarts breaks any of the rules above."""
    machine.stores = stores
    machine.TestCase.settings = settings(
        max_examples=round(SEQUENCES * share),
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        derandomize="IMAGE_SEARCH_TEST_SEQUENCES" not in os.environ,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    machine.TestCase("runTest").runTest()
