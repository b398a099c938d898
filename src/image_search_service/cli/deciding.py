"""The frame of commands that record a decision: open, decide, tell Qdrant, say how to undo it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from image_search_service.cli.context import LibraryOption, actor
from image_search_service.cli.library_command import library_command
from image_search_service.cli.suggest import search_method
from image_search_service.core.errors import LostEmbeddingsError, UnavailableError
from image_search_service.core.types import JsonObject, SearchMethod
from image_search_service.library.opening import Library

if TYPE_CHECKING:
    from image_search_service.services.decisions.log import RecordedDecision
    from image_search_service.services.decisions.naming import Namesake
    from image_search_service.services.decisions.service import ReviewService

SameOption = Annotated[
    bool,
    typer.Option(
        "--same", help="The person who has that name is meant; where two have it, give the id as NAME."
    ),
]
AnotherOption = Annotated[
    bool, typer.Option("--another", help="Somebody else is meant, a new person of the same name.")
]
Decide = Callable[[Library], "RecordedDecision"]
PersonDecide = Callable[["ReviewService", UUID], "RecordedDecision"]


def run_decision(
    what: str,
    decide: Decide,
    library: LibraryOption,
    as_json: bool,
    debug: bool,
    *,
    find_more: str | None = None,
) -> None:
    """Record a decision and print it. find_more: the method by which to search at once for more faces of its
    persons."""
    with library_command(library=library, as_json=as_json, debug=debug) as (run, opened):
        method = None if find_more is None else search_method(find_more)
        made = decide(opened)
        opened.payload_sender.send_if_it_answers()
        changes = "1 change" if made.changes == 1 else f"{made.changes:,} changes"
        sentence = f"{what}: {changes}" if made.id else f"{what}: everything was so already."
        document: JsonObject = {"decision": made.id, "changes": made.changes, "faces": made.faces}
        lines = [sentence, how_back(made.id)]
        if method is not None:
            search, more = _look_for_more(opened, method, made)
            document["found_more"] = search
            lines.append(more)
        run.out.result(document, *lines)


def run_person_decision(
    what: str, name: str, decide: PersonDecide, library: LibraryOption, as_json: bool, debug: bool
) -> None:
    """As ``run_decision``, for a decision about the person of this name."""
    from image_search_service.services.decisions.service import ReviewService
    from image_search_service.services.people.lookup import PeopleService

    def decide_about_person(opened: Library) -> RecordedDecision:
        person = PeopleService(opened.database).person(name)
        return decide(ReviewService(opened.database, actor()), person.id)

    run_decision(what, decide_about_person, library, as_json, debug)


def _look_for_more(
    opened: Library, method: SearchMethod, made: RecordedDecision
) -> tuple[JsonObject | None, str]:
    """What was decided stands, whether or not more can be looked for now."""
    from image_search_service.faces.suggestion_store import FindMoreRun
    from image_search_service.services.suggestions.search import SuggestionService

    try:
        opened.stores.require_embeddings()
        service = SuggestionService(opened.stores)
        search = service.find_more_by(method, made.persons) if made.persons else FindMoreRun()
    except (UnavailableError, LostEmbeddingsError) as error:
        return None, f"It was not looked for more: {error.message} `image-search suggest` does it later."
    return asdict(search), f"Looked for more: {search.created:,} new suggestions."


def namesake(same: bool, another: bool) -> Namesake:
    """Whom a name means that somebody has already."""
    from image_search_service.services.decisions.naming import Namesake

    if same and another:
        raise typer.BadParameter("--same and --another exclude each other")
    return Namesake.SAME if same else Namesake.ANOTHER if another else Namesake.ASK


def how_back(decision: int | None) -> str:
    """The line that every decision ends with: how to undo it."""
    return "" if decision is None else f"To take it back: image-search undo {decision}"
