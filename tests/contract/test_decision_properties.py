"""Random sequences of decisions, jobs, undos and restarts: what a human said stays said.

Twenty, and eleven hundred in ``make test-all``, the same each time, unless more are asked for, which are new
ones: ``IMAGE_SEARCH_TEST_SEQUENCES=20000 pytest -m depth tests/contract/test_decision_properties.py``.
"""

from __future__ import annotations

import os
import uuid
from datetime import date
from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import initialize, rule

from image_search_service.services.decisions.naming import Namesake
from tests.contract.decided_library import LOOKS, DecidedLibrary, seeded_uuid
from tests.contract.decision_machine import JOBS, DecisionMachine, digit

MORE = os.environ.get("IMAGE_SEARCH_TEST_SEQUENCES")
MANY, FEW = (int(MORE), int(MORE) // 10) if MORE else (1000, 100)
NAMES = ("Ada", "Grace", "Emmy", "Mary")

several = st.lists(st.integers(0, 99), min_size=1, max_size=4)
names = st.sampled_from(NAMES)
namesakes = st.sampled_from(Namesake)


class Decisions(DecisionMachine):
    """All kinds of decisions, on what jobs and undos have left."""

    # Who faces are

    @initialize(
        numbers=several,
        number=digit,
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

    @rule(number=digit, name=names, who=namesakes)
    def name_cluster(self, number: int, name: str, who: Namesake = Namesake.ASK) -> None:
        group = self.group(number)
        self.decide(lambda: self.review.name_cluster(group, name, based_on=self.based_on, who=who))

    @rule(numbers=several, name=names, who=namesakes)
    def split(self, numbers: list[int], name: str, who: Namesake = Namesake.ASK) -> None:
        faces = self.some(numbers)
        made = self.decide(lambda: self.review.split(faces, name, based_on=self.based_on, who=who))
        if made is not None:
            assert {(face.hex, made.person_id.hex) for face in faces} <= self.now.said["owner"]

    @rule(numbers=several, into=st.none() | digit)
    def put_together(self, numbers: list[int], into: int | None) -> None:
        faces = self.some(numbers)
        group = None if into is None else self.group(into)
        made = self.decide(lambda: self.review.group_faces(faces, group, based_on=self.based_on))
        if made is not None:
            assert {(face.hex, made.cluster_id.hex) for face in faces} <= self.now.said["group"]

    @rule(numbers=several, who=digit)
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

    @rule(who=digit, accepted=st.booleans())
    def answer_all(self, who: int, accepted: bool) -> None:
        person = self.person(who)
        say = self.review.accept_all if accepted else self.review.reject_all
        self.decide(lambda: say(person, based_on=self.based_on))

    # Many faces at once

    @rule(a=digit, b=digit, name=names, marked=st.lists(st.integers(0, 99), max_size=3))
    def name_groups(self, a: int, b: int, name: str, marked: list[int]) -> None:
        """All faces of two groups but some are somebody's; those that are marked are not."""
        groups = self.groups(a, b)
        but = [face for face in self.some(marked) if face in self.members(groups)] if marked else []
        say = partial(self.answers.name_clusters, groups, name, except_faces=but, based_on=self.based_on)
        made = self.decide(say)
        if made is not None:
            assert {(face.hex, made.person_id.hex) for face in but} <= self.now.said["rejected"]

    @rule(a=digit, b=digit)
    def join_groups(self, a: int, b: int) -> None:
        groups = self.groups(a, b)
        faces = self.members(groups)
        made = self.decide(lambda: self.answers.join_clusters(groups, based_on=self.based_on))
        if made is not None:
            assert {(face.hex, made.cluster_id.hex) for face in faces} <= self.now.said["group"]

    @rule(numbers=st.lists(st.integers(0, 99), max_size=3), number=st.none() | digit, aside=st.booleans())
    def set_aside(self, numbers: list[int], number: int | None, aside: bool) -> None:
        """Faces and a group are strangers', or are not any more."""
        groups = [] if number is None else self.groups(number)
        faces = self.some(numbers) if numbers else []
        of_groups = self.members(groups)
        say = partial(self.answers.set_aside, groups, faces, aside=aside, based_on=self.based_on)
        if self.decide(say) is not None and aside:
            assert {(face.hex,) for face in [*faces, *of_groups]} <= self.now.said["aside"]

    @rule(who=digit, numbers=several)
    def answer_page(self, who: int, numbers: list[int]) -> None:
        """Of what waits for a person some is right and some is wrong."""
        person = self.person(who)
        waiting = self.library.ids(
            "SELECT id FROM face_suggestions WHERE state = 'pending'"  # noqa: S608 - ids
            f" AND person_id = '{person.hex}' ORDER BY rowid"
        )
        wrong = [suggestion for place, suggestion in enumerate(waiting) if place in numbers]
        right = [suggestion for suggestion in waiting if suggestion not in wrong]
        self.decide(lambda: self.answers.answer(person, right, wrong, based_on=self.based_on))

    @rule(who=digit)
    def delete(self, who: int) -> None:
        person = self.person(who)
        self.decide(lambda: self.review.delete_person(person, based_on=self.based_on))

    # Who people are

    @rule(name=names, another=st.booleans())
    def create(self, name: str, another: bool) -> None:
        self.decide(lambda: self.review.create_person(name, another=another))

    @rule(who=digit, name=names, another=st.booleans())
    def rename(self, who: int, name: str, another: bool) -> None:
        person = self.person(who)
        self.decide(lambda: self.review.rename_person(person, name, based_on=self.based_on, another=another))

    @rule(who=digit, note=st.none() | st.sampled_from(("cousin", "from Bath")))
    def note(self, who: int, note: str | None) -> None:
        person = self.person(who)
        self.decide(lambda: self.review.set_note(person, note, based_on=self.based_on))

    @rule(who=digit, hidden=st.booleans())
    def hide(self, who: int, hidden: bool) -> None:
        person = self.person(who)
        self.decide(lambda: self.review.set_hidden(person, hidden, based_on=self.based_on))

    @rule(who=digit, born=st.none() | st.dates(date(1800, 1, 1), date(2020, 1, 1)))
    def birth(self, who: int, born: date | None) -> None:
        person = self.person(who)
        self.decide(lambda: self.review.set_birth_date(person, born, based_on=self.based_on))

    @rule(who=digit, number=digit, pinned=st.none() | st.booleans())
    def choose_face(self, who: int, number: int, pinned: bool | None) -> None:
        """A face is pinned, no longer pinned, or, for None, shown for them; it may not be theirs."""
        person = self.person(who)
        theirs = self.library.ids(f"SELECT id FROM face_instances WHERE person_id = '{person.hex}'")  # noqa: S608
        face = [*theirs, *self.some([number])][number % (len(theirs) + 1)]
        if pinned is None:
            self.decide(lambda: self.review.set_cover_face(person, face, based_on=self.based_on))
        else:
            self.decide(lambda: self.review.pin_prototype(person, face, pinned, based_on=self.based_on))

    @rule(a=digit, b=digit)
    def merge(self, a: int, b: int) -> None:
        other, into = self.person(a), self.person(b)
        self.decide(lambda: self.review.merge_persons([other], into, based_on=self.based_on))

    @rule(a=digit, b=digit, are=st.booleans())
    def differ(self, a: int, b: int, are: bool) -> None:
        first, second = self.person(a), self.person(b)
        self.decide(lambda: self.review.mark_different(first, second, are, based_on=self.based_on))

    @rule(a=digit, b=digit, name=st.none() | names, other_name=st.none() | names)
    def tell_groups_apart(self, a: int, b: int, name: str | None, other_name: str | None) -> None:
        """Say that two groups are different, and then perhaps who they are."""
        first, second = self.group(a), self.group(b)
        self.decide(lambda: self.review.mark_clusters_different(first, second, based_on=self.based_on))
        for group, called in ((first, name), (second, other_name)):
            if called is not None:
                say = partial(self.review.name_cluster, group, called, based_on=self.based_on)
                self.decide(say)

    @rule(number=digit)
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

    @rule(number=digit, who=digit)
    def tell_group_from_person(self, number: int, who: int) -> None:
        group, person = self.group(number), self.person(who)
        self.decide(lambda: self.review.mark_cluster_not_person(group, person, based_on=self.based_on))

    @rule(away=st.booleans())
    def look(self, away: bool) -> None:
        """Somebody sees what there is and decides all that follows on that, until they look again."""
        self.based_on = self.now.latest if away else None


@pytest.mark.parametrize(
    ("sequences", "steps"),
    [
        pytest.param(20, 6, id="some"),
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
