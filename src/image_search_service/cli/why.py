"""``image-search why``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from image_search_service.cli.context import DebugOption, JsonOption, LibraryOption
from image_search_service.cli.library_command import library_command
from image_search_service.core.decisions import NameOrigin
from image_search_service.core.types import JsonObject
from image_search_service.services.suggestions.explanation import ExplanationService
from image_search_service.services.suggestions.search import SuggestionService

if TYPE_CHECKING:
    from image_search_service.services.suggestions.explanation import Explanation
    from image_search_service.services.suggestions.search import ExplainedSuggestion


_ORIGINS = {
    NameOrigin.HERE: ", as you said here",
    NameOrigin.METADATA: ", as a file's metadata says",
    NameOrigin.IMPORT: ", as an imported library says",
    NameOrigin.CARRIED_OVER: ", as was said of it in another content of its file",
}


def why(
    face: Annotated[UUID, typer.Argument(metavar="FACE", help="Face id; see `image-search faces`.")],
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Explain why a face is or is not assigned.

    Also shows for whom it is suggested, and why.
    """
    with library_command(library=library, as_json=as_json, debug=debug) as (run, opened):
        opened.stores.require_embeddings()
        explanation = ExplanationService(opened.stores).explain(face)
        suggested = SuggestionService(opened.stores).explain_face(face)
        document: JsonObject = {
            "face_id": str(face),
            "person_id": None if explanation.person_id is None else str(explanation.person_id),
            "person_name": explanation.person_name,
            "name_origin": explanation.name_origin,
            "reasons": [
                asdict(reason) | {"person_id": None if reason.person_id is None else str(reason.person_id)}
                for reason in explanation.reasons
            ],
            "suggestions": [_as_json(suggestion) for suggestion in suggested],
        }
        run.out.result(
            document,
            *_about_face(explanation),
            *(line for suggestion in suggested for line in _about(suggestion)),
        )


def _about_face(explanation: Explanation) -> list[str]:
    if explanation.person_name is not None:
        return [f"It is {explanation.person_name}{_origin(explanation)}."]
    return [reason.text for reason in explanation.reasons]


def _origin(explanation: Explanation) -> str:
    return "" if explanation.name_origin is None else _ORIGINS[explanation.name_origin]


def _about(explained: ExplainedSuggestion) -> list[str]:
    """A suggestion's reasons, a line each."""
    suggestion = explained.suggestion
    asked = "" if suggestion.threshold is None else f"; {suggestion.threshold:.3f} was asked for"
    lines = [f"Suggested for {explained.person_name}: {suggestion.confidence:.3f} alike{asked}."]
    if explained.second_name is not None and suggestion.second_similarity is not None:
        margin = "" if suggestion.margin is None else f", {abs(suggestion.margin):.3f} "
        more = "" if suggestion.margin is None else ("less" if suggestion.margin >= 0 else "more")
        lines.append(
            f"  Second best: {explained.second_name}, {suggestion.second_similarity:.3f} alike{margin}{more}."
        )
    return lines + [
        f"  {alike.similarity:.3f} like their face {alike.face_id}" for alike in explained.resembles
    ]


def _as_json(explained: ExplainedSuggestion) -> JsonObject:
    return {
        "id": str(explained.suggestion.id),
        "person_id": str(explained.suggestion.person_id),
        "name": explained.person_name,
        "similarity": explained.suggestion.confidence,
        "threshold": explained.suggestion.threshold,
        "needed": explained.needed,
        "second_best": explained.second_name,
        "second_similarity": explained.suggestion.second_similarity,
        "margin": explained.suggestion.margin,
        "evidence": explained.suggestion.evidence,
        "resembles": [
            {"face_id": str(alike.face_id), "similarity": alike.similarity} for alike in explained.resembles
        ],
    }
