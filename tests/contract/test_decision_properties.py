"""Random sequences of decisions, jobs, undos and restarts: what a human said stays said.

A hundred, and two thousand in ``make test-all``, the same each time, unless more are asked for, which are new
ones: ``IMAGE_SEARCH_TEST_SEQUENCES=20000 pytest -m depth tests/contract/test_decision_properties.py``.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from image_search_service.core.errors import ConflictError, InvalidInputError, NotFoundError
from image_search_service.faces.assigner import FaceAssigner
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.decisions.answers import AnswerService
from image_search_service.services.decisions.log import RecordedDecision
from image_search_service.services.decisions.replay import RebuildService
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.jobs.outbox import PayloadSender
from image_search_service.services.suggestions.prototypes import PrototypeService
from image_search_service.services.suggestions.search import SuggestionService
from tests.contract.decided_library import LOOKS, DecidedLibrary, Said, seeded_uuid
from tests.contract.decision_rules import BROKEN

MORE = os.environ.get("IMAGE_SEARCH_TEST_SEQUENCES")
MANY, FEW = (int(MORE), int(MORE) // 10) if MORE else (1800, 200)
LONG = 10
"""So many decisions are too many to take all of them back and forth in each sequence."""
NAMES = ("Ada", "Grace", "Emmy", "Mary")
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

one = st.integers(0, 9)
several = st.lists(st.integers(0, 99), min_size=1, max_size=4)
names = st.sampled_from(NAMES)


class Decisions(RuleBasedStateMachine):
    """A library, what was said before each decision, and everything that may happen."""

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

    # Who faces are

    @initialize(
        numbers=several,
        number=one,
        first=names,
        second=names,
        jobs=st.lists(st.sampled_from(JOBS), max_size=2),
    )
    def begin(self, numbers: list[int], number: int, first: str, second: str, jobs: list[str]) -> None:
        """Two people and what jobs make of them, so that there is something to decide."""
        self.split(numbers, first)
        self.name_cluster(number, second)
        for job in jobs:
            self.run_job(job)

    @rule(number=one, name=names)
    def name_cluster(self, number: int, name: str) -> None:
        group = self.group(number)
        self.decide(lambda: self.review.name_cluster(group, name, based_on=self.based_on))

    @rule(numbers=several, name=names)
    def split(self, numbers: list[int], name: str) -> None:
        faces = self.some(numbers)
        made = self.decide(lambda: self.review.split(faces, name, based_on=self.based_on))
        if made is not None:
            assert {(face.hex, made.person_id.hex) for face in faces} <= self.now.said["owner"]

    @rule(numbers=several, into=st.none() | one)
    def put_together(self, numbers: list[int], into: int | None) -> None:
        faces = self.some(numbers)
        group = None if into is None else self.group(into)
        made = self.decide(lambda: self.review.group_faces(faces, group, based_on=self.based_on))
        if made is not None:
            assert {(face.hex, made.cluster_id.hex) for face in faces} <= self.now.said["group"]

    @rule(numbers=several, who=one)
    def assign(self, numbers: list[int], who: int) -> None:
        faces, person = self.some(numbers), self.person(who)
        if self.decide(lambda: self.review.assign_faces(faces, person, based_on=self.based_on)):
            assert {(face.hex, person.hex) for face in faces} <= self.now.said["owner"]

    @rule(numbers=several, are_faces=st.booleans())
    def take_away(self, numbers: list[int], are_faces: bool) -> None:
        """Whoever loses every face keeps existing."""
        faces, persons = self.some(numbers), self.now.said["persons"]
        say = self.review.unassign_faces if are_faces else self.review.not_a_face
        self.decide(lambda: say(faces, based_on=self.based_on))
        assert self.now.said["persons"] == persons

    @rule(number=st.integers(0, 99), accepted=st.booleans())
    def answer(self, number: int, accepted: bool) -> None:
        waiting = self.library.ids("SELECT id FROM face_suggestions WHERE state = 'pending' ORDER BY rowid")
        if waiting:
            say = self.review.accept if accepted else self.review.reject
            self.decide(lambda: say([waiting[number % len(waiting)]], based_on=self.based_on))

    @rule(who=one, accepted=st.booleans())
    def answer_all(self, who: int, accepted: bool) -> None:
        person = self.person(who)
        say = self.review.accept_all if accepted else self.review.reject_all
        self.decide(lambda: say(person, based_on=self.based_on))

    # Many faces at once

    @rule(a=one, b=one, name=names, marked=st.lists(st.integers(0, 99), max_size=3))
    def name_groups(self, a: int, b: int, name: str, marked: list[int]) -> None:
        """All faces of two groups but some are somebody's; those that are marked are not."""
        groups = self.groups(a, b)
        but = [face for face in self.some(marked) if face in self.members(groups)] if marked else []
        say = partial(self.answers.name_clusters, groups, name, except_faces=but, based_on=self.based_on)
        made = self.decide(say)
        if made is not None:
            assert {(face.hex, made.person_id.hex) for face in but} <= self.now.said["rejected"]

    @rule(a=one, b=one)
    def join_groups(self, a: int, b: int) -> None:
        groups = self.groups(a, b)
        faces = self.members(groups)
        made = self.decide(lambda: self.answers.join_clusters(groups, based_on=self.based_on))
        if made is not None:
            assert {(face.hex, made.cluster_id.hex) for face in faces} <= self.now.said["group"]

    @rule(numbers=st.lists(st.integers(0, 99), max_size=3), number=st.none() | one, aside=st.booleans())
    def set_aside(self, numbers: list[int], number: int | None, aside: bool) -> None:
        """Faces and a group are strangers', or are not any more."""
        groups = [] if number is None else self.groups(number)
        faces = self.some(numbers) if numbers else []
        of_groups = self.members(groups)
        say = partial(self.answers.set_aside, groups, faces, aside=aside, based_on=self.based_on)
        if self.decide(say) is not None and aside:
            assert {(face.hex,) for face in [*faces, *of_groups]} <= self.now.said["aside"]

    @rule(who=one, numbers=several)
    def answer_page(self, who: int, numbers: list[int]) -> None:
        """Of what waits for a person some is right and some is wrong."""
        person = self.person(who)
        waiting = self.library.ids(
            "SELECT id FROM face_suggestions WHERE state = 'pending'"  # noqa: S608 - ids
            f" AND person_id = '{person.hex}' ORDER BY rowid"
        )
        wrong = [one for place, one in enumerate(waiting) if place in numbers]
        right = [one for one in waiting if one not in wrong]
        self.decide(lambda: self.answers.answer(person, right, wrong, based_on=self.based_on))

    @rule(who=one)
    def delete(self, who: int) -> None:
        person = self.person(who)
        self.decide(lambda: self.review.delete_person(person, based_on=self.based_on))

    # Who people are

    @rule(name=names)
    def create(self, name: str) -> None:
        self.decide(lambda: self.review.create_person(name))

    @rule(who=one, name=names)
    def rename(self, who: int, name: str) -> None:
        person = self.person(who)
        self.decide(lambda: self.review.rename_person(person, name, based_on=self.based_on))

    @rule(who=one, hidden=st.booleans())
    def hide(self, who: int, hidden: bool) -> None:
        person = self.person(who)
        self.decide(lambda: self.review.set_hidden(person, hidden, based_on=self.based_on))

    @rule(who=one, born=st.none() | st.dates(date(1800, 1, 1), date(2020, 1, 1)))
    def birth(self, who: int, born: date | None) -> None:
        person = self.person(who)
        self.decide(lambda: self.review.set_birth_date(person, born, based_on=self.based_on))

    @rule(who=one, number=one, pinned=st.none() | st.booleans())
    def choose_face(self, who: int, number: int, pinned: bool | None) -> None:
        """A face is pinned, no longer pinned, or, for None, shown for them; it may not be theirs."""
        person = self.person(who)
        theirs = self.library.ids(f"SELECT id FROM face_instances WHERE person_id = '{person.hex}'")  # noqa: S608
        face = [*theirs, *self.some([number])][number % (len(theirs) + 1)]
        if pinned is None:
            self.decide(lambda: self.review.set_cover_face(person, face, based_on=self.based_on))
        else:
            self.decide(lambda: self.review.pin_prototype(person, face, pinned, based_on=self.based_on))

    @rule(a=one, b=one)
    def merge(self, a: int, b: int) -> None:
        other, into = self.person(a), self.person(b)
        self.decide(lambda: self.review.merge_persons([other], into, based_on=self.based_on))

    @rule(a=one, b=one, are=st.booleans())
    def differ(self, a: int, b: int, are: bool) -> None:
        first, second = self.person(a), self.person(b)
        self.decide(lambda: self.review.mark_different(first, second, are, based_on=self.based_on))

    @rule(a=one, b=one, name=st.none() | names, other_name=st.none() | names)
    def tell_groups_apart(self, a: int, b: int, name: str | None, other_name: str | None) -> None:
        """Say that two groups are different, and then perhaps who they are."""
        first, second = self.group(a), self.group(b)
        self.decide(lambda: self.review.mark_clusters_different(first, second, based_on=self.based_on))
        for group, called in ((first, name), (second, other_name)):
            if called is not None:
                say = partial(self.review.name_cluster, group, called, based_on=self.based_on)
                self.decide(say)

    @rule(number=one)
    def tell_halves_apart(self, number: int) -> None:
        """Say that two groups are different which a grouping, asked again, would join."""
        self.run_job("group_finer")
        look = "', '".join(face.hex for face in self.library.looks[number % LOOKS])
        groups = self.library.rows(
            "SELECT DISTINCT cluster_id FROM face_instances"  # noqa: S608 - ids
            f" WHERE cluster_id IS NOT NULL AND id IN ('{look}') ORDER BY rowid"
        )
        if len(groups) > 1:
            first, second = groups[0][0], groups[1][0]
            self.decide(lambda: self.review.mark_clusters_different(first, second, based_on=self.based_on))

    @rule(number=one, who=one)
    def tell_group_from_person(self, number: int, who: int) -> None:
        group, person = self.group(number), self.person(who)
        self.decide(lambda: self.review.mark_cluster_not_person(group, person, based_on=self.based_on))

    @rule(away=st.booleans())
    def look(self, away: bool) -> None:
        """Somebody sees what there is and decides all that follows on that, until they look again."""
        self.based_on = self.now.latest if away else None

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
        told = {(one.face_instance_id, one.person_id, one.cluster_id) for one in self.library.payloads()}
        rows = self.library.rows("SELECT id, person_id, cluster_id FROM face_instances")
        assert told == {tuple(value and uuid.UUID(value) for value in row) for row in rows}

    def do_restart(self) -> None:
        self.library.restart()

    @rule(number=one)
    def edit_photo(self, number: int) -> None:
        """A photo is edited: what was said of its faces is said of those of the new content."""
        paths = self.library.rows("SELECT path FROM asset_paths ORDER BY id")
        before = self.now
        self.library.edit(os.fsdecode(paths[number % len(paths)][0]))
        self.now = self.library.see()
        assert all(before.said[what] <= self.now.said[what] for what in before.said)
        if self.now.latest > before.latest:
            self.before[self.now.latest] = before.said

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


@pytest.mark.parametrize(
    ("sequences", "steps"),
    [
        pytest.param(90, 5, id="some short"),
        pytest.param(10, 15, id="some long"),
        pytest.param(MANY, 5, id="short", marks=pytest.mark.depth),
        pytest.param(FEW, 15, id="long", marks=pytest.mark.depth),
    ],
)
def test_what_was_said_stays_said(sequences: int, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """No sequence of decisions, jobs, undos, restarts and losses breaks any of the rules above."""
    Decisions.library = DecidedLibrary()
    monkeypatch.setattr(uuid, "uuid4", seeded_uuid)
    try:
        Decisions.TestCase.settings = settings(
            max_examples=sequences,
            stateful_step_count=steps,
            database=None,
            derandomize=MORE is None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        Decisions.TestCase("runTest").runTest()
    finally:
        Decisions.library.close()
