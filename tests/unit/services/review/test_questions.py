"""Ids of questions say what was asked and shown."""

from __future__ import annotations

import uuid

import pytest

from image_search_service.core.errors import InvalidInputError
from image_search_service.recognition.review_queue import Likeness
from image_search_service.services.review.questions import (
    PersonCard,
    Proposal,
    Subject,
    birth_id,
    cluster_id,
    page_id,
    pair_id,
    proposed,
    seen,
    subject_of,
)

CLUSTER, ADA, GRACE = (uuid.UUID(int=number << 96) for number in (1, 2, 3))
PROPOSAL = Proposal(PersonCard(ADA, "Ada", None), 0.612, 0.105, Likeness.VERY, 0.97)


def test_a_cluster_is_seen_whatever_was_proposed() -> None:
    """The same group is not asked about again when somebody else is proposed."""
    shown = seen([cluster_id(CLUSTER, PROPOSAL)])
    assert shown.clusters == {CLUSTER}
    assert subject_of(cluster_id(CLUSTER, None)) in shown.subjects


def test_the_proposal_comes_back_out_of_the_id() -> None:
    """Who was proposed, how alike and how far ahead, is known from the answer; nothing if nobody was."""
    assert proposed(cluster_id(CLUSTER, PROPOSAL)) == (ADA, 0.612, 0.105)
    alone = Proposal(PROPOSAL.person, 0.612, None, Likeness.VERY, 0.97)
    assert proposed(cluster_id(CLUSTER, alone)) == (ADA, 0.612, None)
    assert proposed(cluster_id(CLUSTER, None)) is None
    assert proposed("cluster.not.what.it.seems") is None


def test_a_page_is_seen_suggestion_by_suggestion() -> None:
    """A later page of the same person may be asked about, without the suggestions that were shown."""
    shown = seen([page_id(Subject.PERSON, ADA, [CLUSTER])])
    assert shown.has_shown(CLUSTER)
    assert not shown.has_shown(GRACE)
    assert shown.subjects == frozenset()


def test_a_pair_is_the_same_in_either_order() -> None:
    """Two people are asked about once."""
    assert pair_id(ADA, GRACE) == pair_id(GRACE, ADA)
    assert seen([pair_id(ADA, GRACE)]).subjects == {subject_of(pair_id(GRACE, ADA))}
    assert birth_id(ADA) != birth_id(GRACE)


def test_a_full_page_fits_into_an_id() -> None:
    """Twenty-four suggestions are told apart in an id that is accepted again."""
    items = [uuid.uuid4() for _ in range(24)]
    shown = seen([page_id(Subject.PERSON, ADA, items)])
    assert all(shown.has_shown(item) for item in items)


@pytest.mark.parametrize("text", ["", "nonsense", "cluster.xyz", "person" * 200, "week.1"])
def test_what_is_no_id_is_refused(text: str) -> None:
    """An id that no question has is an error that says so."""
    with pytest.raises(InvalidInputError, match="no question's id"):
        seen([text])
