"""Remembering suggestions: what may be suggested, as SQL has it at that moment, and what is stored of it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from image_search_service.db.queries import differences, suggestion_states as queries
from image_search_service.db.queries.batches import Row
from image_search_service.db.queries.suggestion_states import FaceState, Pair, Remembered
from image_search_service.db.session import Session
from image_search_service.faces.candidates import Candidate, merged

SuggestionSource = Literal["prototype", "multi_prototype", "centroid", "assignment"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for. limit: new suggestions for each person. least: similarity, −1 to 1; None: what
    suits the engine."""

    source: SuggestionSource
    limit: int
    least: float | None = None


@dataclass(slots=True)
class FindMoreRun:
    """What looking for more faces did. searched: searches; found: pairs of a face and a person.

    skipped_in_photo: the person is in the face's photo already. skipped_different: it was said that the
    person's faces are of somebody else. skipped_unrecognizable: the face cannot be
    told from others. skipped_gone: the face or its photo is no longer there. too_few_faces: persons.
    embeddings_missing: prototypes that could not be searched with.
    """

    persons: int = 0
    searched: int = 0
    found: int = 0
    created: int = 0
    updated: int = 0
    skipped_assigned: int = 0
    skipped_rejected: int = 0
    skipped_in_photo: int = 0
    skipped_different: int = 0
    skipped_unrecognizable: int = 0
    skipped_gone: int = 0
    too_few_faces: int = 0
    embeddings_missing: int = 0


def remember(
    session: Session, group: Sequence[uuid.UUID], found: Sequence[Candidate], wanted: Wanted, run: FindMoreRun
) -> None:
    """Remember of new pairs the best ``limit`` for each person, and what is new of old ones: five statements
    for each 500 faces. ``found``: by person, the best first.
    """
    face_ids = [one.face_id for one in found]
    states = queries.face_states(session, face_ids)
    known = queries.remembered(session, face_ids, group)
    present = queries.photos_with(session, (state.asset_id for state in states.values()), group)
    barred = differences.apart_pairs(session, face_ids, group)
    run.found += len(found)
    rows: list[Row] = []
    created: dict[uuid.UUID, int] = {}
    for one in found:
        before = known.get((one.face_id, one.person_id))
        if not _may_be_suggested(one, states, before, present, barred, run=run):
            continue
        if before is None:
            if created.get(one.person_id, 0) == wanted.limit:
                continue
            created[one.person_id] = created.get(one.person_id, 0) + 1
        rows.append(_row(one, wanted.source, before))
    queries.save_pending(session, rows)
    run.created += sum(created.values())
    run.updated += len(rows) - sum(created.values())


def _may_be_suggested(
    one: Candidate,
    states: Mapping[uuid.UUID, FaceState],
    before: Remembered | None,
    present: set[Pair],
    barred: set[Pair],
    *,
    run: FindMoreRun,
) -> bool:
    """As SQL has it now; counts why not."""
    state = states.get(one.face_id)
    if state is None or state.replaced:
        run.skipped_gone += 1
    elif state.person_id is not None:
        run.skipped_assigned += 1
    elif not state.recognizable:
        run.skipped_unrecognizable += 1
    elif before is not None and before.state == queries.REJECTED:
        run.skipped_rejected += 1
    elif (state.asset_id, one.person_id) in present:
        run.skipped_in_photo += 1
    elif (one.face_id, one.person_id) in barred:
        run.skipped_different += 1
    else:
        return True
    return False


def _row(one: Candidate, source: SuggestionSource, before: Remembered | None) -> Row:
    """A suggestion to remember; what is known from another source stays known."""
    evidence = one.evidence if before is None else merged(before.evidence, one.evidence)
    confidence = float(evidence[0]["similarity"])
    kept = before is not None and confidence > one.confidence
    return {
        "id": uuid.uuid4(),
        "face_instance_id": one.face_id,
        "person_id": one.person_id,
        "confidence": confidence,
        "source": before.source if kept and before is not None else source,
        "evidence": evidence,
        "threshold": one.threshold,
        "second_person_id": None if one.second is None else one.second.person_id,
        "second_similarity": None if one.second is None else one.second.similarity,
        "margin": None if one.second is None else one.second.margin,
    }
