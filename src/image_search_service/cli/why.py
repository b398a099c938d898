"""``image-search why``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from image_search_service.cli.context import DebugOption, JsonOption, LibraryOption
from image_search_service.cli.library_command import library_command
from image_search_service.core.types import JsonObject
from image_search_service.services.suggestions.explanation import ExplanationService
from image_search_service.services.suggestions.search import SuggestionService

if TYPE_CHECKING:
    from image_search_service.services.suggestions.explanation import Explanation
    from image_search_service.services.suggestions.search import Explained


def why(
    face: Annotated[UUID, typer.Argument(metavar="FACE", help="Face id; see `image-search faces`.")],
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Explain why a face is or is not assigned.

    And for whom it is suggested, and why.
    """
    with library_command(library=library, as_json=as_json, debug=debug) as (run, opened):
        found = ExplanationService(opened.stores).explain(face)
        suggested = SuggestionService(opened.stores).explain_face(face)
        document: JsonObject = {
            "face_id": str(face),
            "person_id": None if found.person_id is None else str(found.person_id),
            "person_name": found.person_name,
            "reasons": [
                asdict(one) | {"person_id": None if one.person_id is None else str(one.person_id)}
                for one in found.reasons
            ],
            "suggestions": [_as_json(one) for one in suggested],
        }
        run.out.result(document, *_about_face(found), *(line for one in suggested for line in _about(one)))


def _about_face(found: Explanation) -> list[str]:
    if found.person_name is not None:
        return [f"It is {found.person_name}."]
    return [one.text for one in found.reasons]


def _about(one: Explained) -> list[str]:
    """A suggestion's reasons, a line each."""
    found = one.suggestion
    asked = "" if found.threshold is None else f"; {found.threshold:.3f} was asked for"
    lines = [f"Suggested for {one.person_name}: {found.confidence:.3f} alike{asked}."]
    if one.second_name is not None and found.second_similarity is not None:
        margin = "" if found.margin is None else f", {abs(found.margin):.3f} "
        more = "" if found.margin is None else ("less" if found.margin >= 0 else "more")
        lines.append(f"  Second best: {one.second_name}, {found.second_similarity:.3f} alike{margin}{more}.")
    return lines + [f"  {alike.similarity:.3f} like their face {alike.face_id}" for alike in one.resembles]


def _as_json(one: Explained) -> JsonObject:
    return {
        "id": str(one.suggestion.id),
        "person_id": str(one.suggestion.person_id),
        "name": one.person_name,
        "similarity": one.suggestion.confidence,
        "threshold": one.suggestion.threshold,
        "needed": one.needed,
        "second_best": one.second_name,
        "second_similarity": one.suggestion.second_similarity,
        "margin": one.suggestion.margin,
        "evidence": one.suggestion.evidence,
        "resembles": [
            {"face_id": str(alike.face_id), "similarity": alike.similarity} for alike in one.resembles
        ],
    }
