"""What a user decides on the command line, and taking it back."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from image_search_service.cli.context import DebugOption, JsonOption, LibraryOption, actor
from image_search_service.cli.deciding import library_command, run_decision
from image_search_service.cli.output import table
from image_search_service.cli.suggest import METHODS
from image_search_service.library.opening import Library
from image_search_service.services.decisions.log import RecordedDecision
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.people.lookup import PeopleService
from image_search_service.services.suggestions.conflicts import ConflictService

Faces = Annotated[list[UUID], typer.Argument(metavar="FACE…", help="Ids of faces.")]
Person = Annotated[str, typer.Option("--person", metavar="NAME", help="Whose.")]
FindMoreOption = Annotated[
    str | None,
    typer.Option("--find-more", metavar=METHODS, help="Then look for more faces of the person."),
]


def accept(
    faces: Annotated[list[UUID] | None, typer.Argument(metavar="[FACE…]", help="Some of them.")] = None,
    person: Person = "",
    by: FindMoreOption = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Say that what is suggested for a person is them: all of it, or the faces named."""
    run_decision(
        "Accepted", lambda opened: _review(opened, person, faces, True), library, as_json, debug, find_more=by
    )


def reject(
    faces: Annotated[list[UUID] | None, typer.Argument(metavar="[FACE…]", help="Some of them.")] = None,
    person: Person = "",
    by: FindMoreOption = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Say that what is suggested for a person is not them. It will not be suggested again."""
    run_decision(
        "Rejected",
        lambda opened: _review(opened, person, faces, False),
        library,
        as_json,
        debug,
        find_more=by,
    )


def _review(opened: Library, name: str, faces: list[UUID] | None, accepted: bool) -> RecordedDecision:
    person = PeopleService(opened.database).person(name)
    service = ReviewService(opened.database, actor())
    if not faces:
        return service.accept_all(person.id) if accepted else service.reject_all(person.id)
    waiting = service.waiting_for(person.id, faces)
    return service.accept(waiting) if accepted else service.reject(waiting)


def unassign(
    faces: Faces, library: LibraryOption = None, as_json: JsonOption = False, debug: DebugOption = False
) -> None:
    """Take faces away from their persons. They will not be suggested for them again."""
    run_decision(
        "Taken away",
        lambda opened: ReviewService(opened.database, actor()).unassign_faces(faces),
        library,
        as_json,
        debug,
    )


def merge(
    names: Annotated[list[str], typer.Argument(metavar="NAME…", help="Who is the same person.")],
    into: Annotated[str, typer.Option("--into", metavar="NAME", help="Whose name stays.")],
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Make one person of several."""

    def decide(opened: Library) -> RecordedDecision:
        people = PeopleService(opened.database)
        others = [people.person(name).id for name in names]
        return ReviewService(opened.database, actor()).merge_persons(others, people.person(into).id)

    run_decision("Merged", decide, library, as_json, debug)


def rename(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name so far.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The name from now on.")],
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Give a person another name."""

    def decide(opened: Library) -> RecordedDecision:
        person = PeopleService(opened.database).person(name)
        return ReviewService(opened.database, actor()).rename_person(person.id, new)

    run_decision("Renamed", decide, library, as_json, debug)


def conflicts(
    limit: Annotated[int, typer.Option(min=1, help="How many of each kind.")] = 20,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """List what cannot all be true: somebody twice in a photo, or before they were born, a face unlike the
    others of its person, two people who look the same."""
    with library_command(library, as_json, debug) as (run, opened):
        found = ConflictService(opened.stores).find(limit)
        document = {
            "conflicts": [
                {
                    "kind": one.kind.value,
                    "names": one.names,
                    "person_ids": [str(person) for person in one.person_ids],
                    "face_ids": [str(face) for face in one.face_ids],
                    "asset_id": None if one.asset_id is None else str(one.asset_id),
                    "path": None if one.path is None else str(one.path),
                    "similarity": one.similarity,
                }
                for one in found
            ]
        }
        rows = [
            (
                one.kind.value.replace("_", " "),
                ", ".join(one.names),
                one.similarity,
                ", ".join(map(str, one.face_ids)),
                one.path or "",
            )
            for one in found
        ]
        title = f"Perhaps wrong: {len(found):,}"
        run.out.result(document, table(title, ("What", "Who", "Similarity", "Faces", "Photo"), rows))
