"""``image-search suggest``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from image_search_service.cli.context import DebugOption, JsonOption, LibraryOption
from image_search_service.cli.library_command import library_command
from image_search_service.cli.output import table
from image_search_service.core.errors import InvalidInputError
from image_search_service.core.types import JsonObject, SearchMethod

if TYPE_CHECKING:
    from rich.table import Table

    from image_search_service.services.suggestions.search import PendingSuggestion

METHODS = "|".join(SearchMethod)


def search_method(name: str) -> SearchMethod:
    """Raises InvalidInputError for an unknown method."""
    try:
        return SearchMethod(name)
    except ValueError:
        *others, last = SearchMethod
        raise InvalidInputError(
            f"Unknown search method {name!r}; choose {', '.join(others)} or {last}."
        ) from None


def suggest(
    person: Annotated[str, typer.Option("--person", metavar="NAME", help="The person's name.")],
    by: Annotated[
        str,
        typer.Option(
            metavar=METHODS,
            help="What to compare with: the person's best prototypes, all of them, or the centroid.",
        ),
    ] = SearchMethod.MULTI_PROTOTYPE.value,
    limit: Annotated[int, typer.Option(min=1, help="How many new suggestions to make at most.")] = 50,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Look for more faces of a person, and list them.

    Faces without a name are compared. Nothing is assigned: a suggestion stays open until it is accepted or
    rejected.
    """
    from image_search_service.services.people.lookup import PeopleService
    from image_search_service.services.suggestions.search import SuggestionService

    with library_command(as_json=as_json, debug=debug, library=library) as (run, opened):
        opened.stores.require_embeddings()
        service = SuggestionService(opened.stores)
        method = search_method(by)
        who = PeopleService(opened.database).person(person)
        did = service.find_more_by(method, who.id, limit=limit)
        pending = service.pending(who.id, limit)
        document = {
            "person_id": str(who.id),
            "name": who.name,
            "by": by,
            "run": asdict(did),
            "suggestions": [_suggestion_fields(item) for item in pending],
        }
        title = f"May be {who.name}: {len(pending):,} ({did.created:,} new)"
        run.out.result(document, _suggestion_table(title, pending))


def _suggestion_fields(item: PendingSuggestion) -> JsonObject:
    suggestion = item.suggestion
    return {
        "id": str(suggestion.id),
        "face_id": str(suggestion.face_instance_id),
        "similarity": round(suggestion.confidence, 4),
        "threshold": suggestion.threshold,
        "second_best": item.second_name,
        "second_similarity": suggestion.second_similarity,
        "margin": suggestion.margin,
        "path": str(item.path) if item.path else None,
        "evidence": suggestion.evidence,
    }


def _suggestion_table(title: str, pending: Sequence[PendingSuggestion]) -> Table:
    rows = [
        (
            item.suggestion.confidence,
            item.suggestion.threshold,
            item.second_name,
            item.suggestion.margin,
            item.suggestion.face_instance_id,
            item.path or "missing",
        )
        for item in pending
    ]
    return table(title, ("Similarity", "Asked for", "Second best", "Margin", "Face", "Photo"), rows)
