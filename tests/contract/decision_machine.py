"""What every sequence of decisions may contain: undos, jobs, restarts and losses; and what must hold."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from image_search_service.core.errors import ConflictError, InvalidInputError, NotFoundError
from image_search_service.faces.assigner import FaceAssigner
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.decisions.answers import AnswerService
from image_search_service.services.decisions.log import RecordedDecision
from image_search_service.services.decisions.lost_faces import LostFaceService
from image_search_service.services.decisions.replay import RebuildService
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.jobs.outbox import PayloadSender
from image_search_service.services.suggestions.prototypes import PrototypeService
from image_search_service.services.suggestions.search import SuggestionService
from tests.contract.decided_library import DecidedLibrary, Said
from tests.contract.decision_rules import BROKEN

LONG = 10
"""So many decisions are too many to take all of them back and forth in each sequence."""
REFUSALS = (ConflictError, InvalidInputError, NotFoundError)
JOBS = (
    "suggest",
    "assign_by_machine",
    "group",
    "group_finer",
    "compute_prototypes",
    "expire",
    "tell_qdrant",
    "restart",
)

digit = st.integers(0, 9)


def with_covers_moved(said: Said, faces: Mapping[str, str]) -> Said:
    """What was said, but for people shown by one of ``faces``, who are shown by its successor."""
    persons = frozenset((*person[:-1], faces.get(person[-1], person[-1])) for person in said["persons"])
    return {**said, "persons": persons}


class DecisionMachine(RuleBasedStateMachine):
    """A library, what was said before each decision, and all that happens besides decisions."""

    library: ClassVar[DecidedLibrary]

    def __init__(self) -> None:
        super().__init__()
        self.library.begin()
        self.now = self.library.see()
        self.nothing = self.now.said
        self.before: dict[int, Said] = {}
        self.based_on: int | None = None
        """The last decision that somebody saw before they went for a cup of tea."""
        self.steps = 0
        self.undid_everything = False

    def teardown(self) -> None:
        self.library.end()

    @property
    def review(self) -> ReviewService:
        return ReviewService(self.library.database, "hypothesis")

    @property
    def answers(self) -> AnswerService:
        return AnswerService(self.library.database, "hypothesis")

    def groups(self, *numbers: int) -> list[uuid.UUID]:
        """Clusters, none if there is none."""
        there = self.library.ids("SELECT id FROM clusters ORDER BY rowid")
        return sorted({there[number % len(there)] for number in numbers}) if there else []

    def members(self, groups: list[uuid.UUID]) -> list[uuid.UUID]:
        """The faces of these clusters."""
        wanted = "', '".join(group.hex for group in groups)
        return self.library.ids(f"SELECT id FROM face_instances WHERE cluster_id IN ('{wanted}')")  # noqa: S608

    def some(self, numbers: list[int]) -> list[uuid.UUID]:
        faces = self.library.ids("SELECT id FROM face_instances ORDER BY rowid")
        return sorted({faces[number % len(faces)] for number in numbers})

    def person(self, number: int) -> uuid.UUID:
        there = self.library.ids("SELECT id FROM persons WHERE NOT deleted ORDER BY rowid")
        return there[number % len(there)] if there else uuid.UUID(int=1)

    def group(self, number: int) -> str:
        there = self.library.ids("SELECT id FROM clusters ORDER BY rowid")
        return there[number % len(there)].hex if there else "0123abcd"

    def decide(self, decision: Callable[[], Any]) -> Any:
        """Make a decision; one that is refused, or says what is so already, has changed nothing at all."""
        before = self.now
        try:
            made = decision()
        except REFUSALS:
            made = None
        self.now = self.library.see()
        number = None if made is None else made.id if isinstance(made, RecordedDecision) else made.decision
        if number is None:
            assert self.now.tables == before.tables
            return made
        assert number == self.now.latest
        self.before[number] = before.said
        self.is_one_more_event(before.events)
        return made

    def is_one_more_event(self, before: Any) -> None:
        """Events are appended and never changed."""
        decisions, changes = self.now.events
        assert decisions[:-1] == before[0]
        assert changes[: len(before[1])] == before[1]
        new = changes[len(before[1]) :]
        assert new
        if self.based_on is not None and decisions[-1][4] is None:
            changed_meanwhile = {row[2:5] for row in before[1] if row[1] > self.based_on}
            assert changed_meanwhile.isdisjoint(row[2:5] for row in new)

    # Taking back

    def undo(self, number: int) -> None:
        """Undo the newest decision: it is never refused, and what was said before it is said again."""
        expected = self.before[number]
        made = self.decide(lambda: self.review.undo(number))
        assert made is not None, f"{number} could not be undone"
        assert self.now.said == expected

    @rule(times=st.integers(1, 3))
    def undo_the_last(self, times: int) -> None:
        """Once, again what was undone, and so on."""
        for _ in range(times if self.now.latest else 0):
            self.undo(self.now.latest)

    @rule(number=st.integers(0, 40))
    def undo_any(self, number: int) -> None:
        if self.now.latest:
            self.decide(lambda: self.review.undo(1 + number % self.now.latest))

    @precondition(lambda self: 2 < self.now.latest <= LONG and not self.undid_everything)
    @rule()
    def undo_everything(self) -> None:
        """The newest first: in the end nothing is said; and then the same with all these undos."""
        self.undid_everything = True
        there, last = self.now.said, self.now.latest
        for number in range(last, 0, -1):
            self.undo(number)
        assert self.now.said == self.nothing
        for number in range(self.now.latest, last, -1):
            self.undo(number)
        assert self.now.said == there

    # Jobs, restarts and losses

    @rule(job=st.sampled_from(JOBS))
    def run_job(self, job: str) -> None:
        """No job changes what was said, or says anything."""
        said, events = self.now.said, self.now.events
        getattr(self, f"do_{job}")()
        self.now = self.library.see()
        assert self.now.said == said
        assert self.now.events == events

    def do_group(self) -> None:
        FaceClusteringService(self.library.stores).group()

    def do_group_finer(self) -> None:
        self.library.group_finer()

    def do_assign_by_machine(self) -> None:
        FaceAssigner(self.library.stores, CentroidService(self.library.stores)).assign_new_faces()

    def do_compute_prototypes(self) -> None:
        PrototypeService(self.library.stores).compute_prototypes()

    def do_suggest(self) -> None:
        persons = self.library.ids("SELECT id FROM persons WHERE NOT deleted ORDER BY rowid")
        if persons:
            self.do_compute_prototypes()
            SuggestionService(self.library.stores).find_more(persons, min_confidence=0.2)

    def do_expire(self) -> None:
        SuggestionService(self.library.stores).expire_old(0)

    def do_tell_qdrant(self) -> None:
        """Then both stores say the same."""
        PayloadSender(self.library.stores).send()
        told = {
            (point.face_instance_id, point.person_id, point.cluster_id) for point in self.library.payloads()
        }
        rows = self.library.rows("SELECT id, person_id, cluster_id FROM face_instances")
        assert told == {tuple(value and uuid.UUID(value) for value in row) for row in rows}

    def do_restart(self) -> None:
        self.library.restart()

    @rule(number=digit)
    def edit_photo(self, number: int) -> None:
        """A photo is edited: what was said of its faces is said of those of the new content."""
        paths = self.library.rows("SELECT path FROM asset_paths ORDER BY id")
        before = self.now
        copies = self.library.edit(os.fsdecode(paths[number % len(paths)][0]))
        self.now = self.library.see()
        expected = with_covers_moved(before.said, copies)
        assert all(expected[what] <= self.now.said[what] for what in expected)
        if self.now.latest > before.latest:
            self.before[self.now.latest] = before.said

    @rule(number=digit)
    def replace_photo(self, number: int) -> None:
        """A file holds another photo: what was said stays, and is said of nobody else."""
        paths = self.library.rows("SELECT path FROM asset_paths ORDER BY id")
        said, events = self.now.said, self.now.events
        self.library.edit(os.fsdecode(paths[number % len(paths)][0]), lose=True)
        self.now = self.library.see()
        assert self.now.said == said
        assert self.now.events == events

    @rule(number=digit, face=st.none() | st.integers(0, 99))
    def answer_lost_face(self, number: int, face: int | None) -> None:
        """Somebody says which face a lost one is, or that it is none."""
        lost = self.library.lost_faces()
        answers = LostFaceService(self.library.database, "hypothesis")
        if not lost:
            return
        lost_face = lost[number % len(lost)]
        if face is None:
            made = self.decide(lambda: answers.nowhere(lost_face, self.based_on))
        else:
            found = self.some([face])[0]
            made = self.decide(lambda: answers.found(lost_face, found, self.based_on))
        if made is not None:
            assert lost_face not in self.library.lost_faces()

    @rule()
    def rebuild_from_the_events(self) -> None:
        """The tables are lost: what was said follows from the events alone."""
        said, events = self.now.said, self.now.events
        self.library.forget()
        RebuildService(self.library.database).rebuild()
        self.now = self.library.see()
        assert self.now.said == said
        assert self.now.events == events

    # What must hold whatever happens

    @invariant()
    def no_rule_is_broken(self) -> None:
        broken = {sentence: rows for sentence, query in BROKEN.items() if (rows := self.library.rows(query))}
        assert not broken

    @invariant()
    def the_tables_follow_from_the_events(self) -> None:
        self.steps += 1
        if self.steps % 5 == 0:
            report = RebuildService(self.library.database).check()
            assert report.wrong == 0, report.examples
            assert report.miscounted == 0, report.miscounts
