"""``image-search suggest``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from image_search_service.cli.context import DebugOption, JsonOption, LibraryOption, command_context
from image_search_service.cli.output import table
from image_search_service.core.errors import InvalidInputError
from image_search_service.core.types import SearchMethod
from image_search_service.library.opening import open_library

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
            help="What to compare with: the best examples, all examples, or the mean of the person's faces.",
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

    with (
        command_context(as_json=as_json, debug=debug, library=library) as run,
        open_library(run.settings, run.out.note, run.out.progress) as opened,
    ):
        service = SuggestionService(opened.stores)
        method = search_method(by)
        found = PeopleService(opened.database).person(person)
        did = service.find_more_by(method, found.id, limit=limit)
        pending = service.pending(found.id, limit)
        document = {
            "person_id": str(found.id),
            "name": found.name,
            "by": by,
            "run": asdict(did),
            "suggestions": [
                {
                    "id": str(one.suggestion.id),
                    "face_id": str(one.suggestion.face_instance_id),
                    "similarity": round(one.suggestion.confidence, 4),
                    "threshold": one.suggestion.threshold,
                    "second_best": one.second_name,
                    "second_similarity": one.suggestion.second_similarity,
                    "margin": one.suggestion.margin,
                    "path": str(one.path) if one.path else None,
                    "evidence": one.suggestion.evidence,
                }
                for one in pending
            ],
        }
        rows = [
            (
                one.suggestion.confidence,
                one.suggestion.threshold,
                one.second_name,
                one.suggestion.margin,
                one.suggestion.face_instance_id,
                one.path or "missing",
            )
            for one in pending
        ]
        title = f"May be {found.name}: {len(pending):,} ({did.created:,} new)"
        columns = ("Similarity", "Asked for", "Second best", "Margin", "Face", "Photo")
        run.out.result(document, table(title, columns, rows))
