"""Stores suggestions: checks in SQL which candidates may be suggested, and saves them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from image_search_service.db.queries import differences, suggestion_states as queries
from image_search_service.db.queries.batches import Row
from image_search_service.db.queries.suggestion_states import KnownPair, Pair, SuggestibleFace
from image_search_service.db.session import Session
from image_search_service.faces.candidates import Candidate, merged

SuggestionSource = Literal["prototype", "multi_prototype", "centroid", "assignment"]


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """Options of a search for suggestions. limit: new suggestions for each person. min_similarity: −1 to 1;
    None: derived from the engine's thresholds."""

    source: SuggestionSource
    limit: int
    min_similarity: float | None = None


@dataclass(slots=True)
class FindMoreRun:
    """The result of searching for more faces. searched: searches. found: pairs of face and person.

    skipped_in_photo: the person is in the face's photo already. skipped_different: a difference forbids the
    pair. skipped_unrecognizable: the face is not recognizable. skipped_gone: the face or its photo does not
    exist any more. too_few_faces: persons with too few faces. unknown_persons: those who do not exist any
    more. embeddings_missing: prototypes without an embedding.
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
    unknown_persons: int = 0
    embeddings_missing: int = 0


def remember(
    session: Session,
    group: Sequence[uuid.UUID],
    candidates: Sequence[Candidate],
    wanted: SearchOptions,
    run: FindMoreRun,
) -> None:
    """Store the best ``limit`` new pairs of each person, and new evidence of known pairs: five statements for
    each 500 faces. candidates: by person, the best first.
    """
    face_ids = [candidate.face_id for candidate in candidates]
    states = queries.face_states(session, face_ids)
    known = queries.remembered(session, face_ids, group)
    present = queries.photos_with(session, (state.asset_id for state in states.values()), group)
    barred = differences.apart_pairs(session, face_ids, group)
    run.found += len(candidates)
    rows: list[Row] = []
    created: dict[uuid.UUID, int] = {}
    for candidate in candidates:
        before = known.get((candidate.face_id, candidate.person_id))
        if not _may_be_suggested(candidate, states, before, present, barred, run=run):
            continue
        if before is None:
            if created.get(candidate.person_id, 0) == wanted.limit:
                continue
            created[candidate.person_id] = created.get(candidate.person_id, 0) + 1
        rows.append(_row(candidate, wanted.source, before))
    queries.save_pending(session, rows)
    run.created += sum(created.values())
    run.updated += len(rows) - sum(created.values())


def _may_be_suggested(
    candidate: Candidate,
    states: Mapping[uuid.UUID, SuggestibleFace],
    before: KnownPair | None,
    present: set[Pair],
    barred: set[Pair],
    *,
    run: FindMoreRun,
) -> bool:
    """Whether SQL allows the candidate now; counts the reason if not."""
    state = states.get(candidate.face_id)
    if state is None or state.replaced:
        run.skipped_gone += 1
    elif state.person_id is not None:
        run.skipped_assigned += 1
    elif not state.recognizable:
        run.skipped_unrecognizable += 1
    elif before is not None and before.state == queries.REJECTED:
        run.skipped_rejected += 1
    elif (state.asset_id, candidate.person_id) in present:
        run.skipped_in_photo += 1
    elif (candidate.face_id, candidate.person_id) in barred:
        run.skipped_different += 1
    else:
        return True
    return False


def _row(candidate: Candidate, source: SuggestionSource, before: KnownPair | None) -> Row:
    """The row to store; evidence from other sources is kept."""
    evidence = candidate.evidence if before is None else merged(before.evidence, candidate.evidence)
    confidence = float(evidence[0]["similarity"])
    kept = before is not None and confidence > candidate.confidence
    return {
        "id": uuid.uuid4(),
        "face_instance_id": candidate.face_id,
        "person_id": candidate.person_id,
        "confidence": confidence,
        "source": before.source if kept and before is not None else source,
        "evidence": evidence,
        "threshold": candidate.threshold,
        "second_person_id": None if candidate.second is None else candidate.second.person_id,
        "second_similarity": None if candidate.second is None else candidate.second.similarity,
        "margin": None if candidate.second is None else candidate.second.margin,
    }
