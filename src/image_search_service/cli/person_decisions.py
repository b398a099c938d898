"""What a user says of people on the command line, and to whom faces are given by hand."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

import typer

from image_search_service.cli.context import DebugOption, JsonOption, LibraryOption, actor
from image_search_service.cli.deciding import how_back, library_command, run_decision
from image_search_service.cli.people import SHOWN_ID
from image_search_service.core.errors import InvalidInputError
from image_search_service.library.opening import Library
from image_search_service.services.decisions.answers import AnswerService
from image_search_service.services.decisions.log import RecordedDecision
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.people.lookup import PeopleService

Name = Annotated[str, typer.Argument(metavar="NAME", help="Who.")]
Face = Annotated[UUID, typer.Argument(metavar="FACE", help="The id of one of their faces.")]
Faces = Annotated[list[UUID], typer.Argument(metavar="FACE…", help="Ids of faces.")]


def create(
    name: Name, library: LibraryOption = None, as_json: JsonOption = False, debug: DebugOption = False
) -> None:
    """Add somebody of whom no face is known yet."""
    with library_command(library, as_json, debug) as (run, opened):
        named = ReviewService(opened.database, actor()).create_person(name)
        document = {"decision": named.decision, "person_id": str(named.person_id), "name": named.name}
        run.out.result(document, f"{named.name} is there now.", how_back(named.decision))


def give(
    faces: Faces,
    to: Annotated[str, typer.Option("--to", metavar="NAME", help="To whom; created if need be.")],
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Say whose these faces are, wherever they are now; from whom they are taken they are rejected for."""
    with library_command(library, as_json, debug) as (run, opened):
        named = ReviewService(opened.database, actor()).split(faces, to)
        opened.payload_sender.send_if_it_answers()
        document = {
            "decision": named.decision,
            "person_id": str(named.person_id),
            "name": named.name,
            "faces": named.faces,
            "created": named.created,
        }
        told = f"{named.faces:,} faces are now {named.name}."
        run.out.result(document, told, how_back(named.decision))


def group(
    faces: Faces,
    into: Annotated[
        str | None, typer.Option("--into", metavar="GROUP", help="Another group; else a new one.")
    ] = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Take faces out of their groups or people, into another group or a new one, without naming anybody.

    They stay there, and apart from those that they were with, until you name the group or say otherwise.
    """
    with library_command(library, as_json, debug) as (run, opened):
        made = ReviewService(opened.database, actor()).group_faces(faces, into)
        opened.payload_sender.send_if_it_answers()
        document = {"decision": made.decision, "cluster_id": str(made.cluster_id), "faces": made.faces}
        told = f"{made.faces:,} faces are the group {made.cluster_id.hex[:SHOWN_ID]}."
        run.out.result(document, told, how_back(made.decision))


def not_a_face(
    faces: Faces, library: LibraryOption = None, as_json: JsonOption = False, debug: DebugOption = False
) -> None:
    """Say that these are no faces."""
    run_decision(
        "No faces",
        lambda opened: ReviewService(opened.database, actor()).not_a_face(faces),
        library,
        as_json,
        debug,
    )


def set_aside(
    groups: Annotated[
        list[str] | None, typer.Argument(metavar="[GROUP…]", help="Groups without a name.")
    ] = None,
    faces: Annotated[
        list[UUID] | None, typer.Option("--face", metavar="FACE", help="A single face; may be repeated.")
    ] = None,
    take_back: Annotated[bool, typer.Option("--take-back", help="They count again.")] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Say that these faces are strangers'. They are in no list, search or grouping, and suggested for nobody.

    `image-search people --hidden` shows the groups.
    """

    def decide(opened: Library) -> RecordedDecision:
        people = PeopleService(opened.database)
        ids = [people.cluster(group).id for group in groups or []]
        return AnswerService(opened.database, actor()).set_aside(ids, faces or [], aside=not take_back)

    run_decision("Back again" if take_back else "Set aside", decide, library, as_json, debug)


def delete_person(
    name: Name, library: LibraryOption = None, as_json: JsonOption = False, debug: DebugOption = False
) -> None:
    """Take somebody who has no face out of all lists."""

    def decide(opened: Library) -> RecordedDecision:
        person = PeopleService(opened.database).person(name)
        return ReviewService(opened.database, actor()).delete_person(person.id)

    run_decision("Deleted", decide, library, as_json, debug)


def hide(
    name: Name, library: LibraryOption = None, as_json: JsonOption = False, debug: DebugOption = False
) -> None:
    """Leave somebody out of lists."""
    run_decision("Hidden", lambda opened: _set_hidden(opened, name, True), library, as_json, debug)


def unhide(
    name: Name, library: LibraryOption = None, as_json: JsonOption = False, debug: DebugOption = False
) -> None:
    """Show somebody in lists again."""
    run_decision("Shown again", lambda opened: _set_hidden(opened, name, False), library, as_json, debug)


def born(
    name: Name,
    day: Annotated[
        str, typer.Argument(metavar="[DATE]", help="Such as 1815-12-10; none takes it back.")
    ] = "",
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Say when somebody was born, so that photos from before are found as conflicts."""

    def decide(opened: Library) -> RecordedDecision:
        person = PeopleService(opened.database).person(name)
        return ReviewService(opened.database, actor()).set_birth_date(person.id, _date(day) if day else None)

    run_decision("Birth date", decide, library, as_json, debug)


def cover(
    name: Name,
    face: Face,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Choose which of their faces is shown for somebody."""

    def decide(opened: Library) -> RecordedDecision:
        person = PeopleService(opened.database).person(name)
        return ReviewService(opened.database, actor()).set_cover_face(person.id, face)

    run_decision("Cover", decide, library, as_json, debug)


def pin(
    name: Name,
    face: Face,
    take_back: Annotated[bool, typer.Option("--take-back", help="Leave it to the machine again.")] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Let a face stand for somebody in searches, whatever jobs would choose."""

    def decide(opened: Library) -> RecordedDecision:
        person = PeopleService(opened.database).person(name)
        return ReviewService(opened.database, actor()).pin_prototype(person.id, face, pinned=not take_back)

    run_decision("Pinned", decide, library, as_json, debug)


def different(
    one: Annotated[str, typer.Argument(metavar="NAME", help="A person, or with --groups a group's id.")],
    other: Annotated[str, typer.Argument(metavar="OTHER", help="The other one.")],
    groups: Annotated[bool, typer.Option("--groups", help="They are groups without a name.")] = False,
    take_back: Annotated[bool, typer.Option("--take-back", help="Of people: they may be one.")] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Say that two people, or two groups, are different: nothing joins them any more."""
    if groups and take_back:
        raise typer.BadParameter("what was said of groups is taken back by image-search undo")

    def decide(opened: Library) -> RecordedDecision:
        service, people = ReviewService(opened.database, actor()), PeopleService(opened.database)
        if groups:
            return service.mark_clusters_different(one, other)
        return service.mark_different(people.person(one).id, people.person(other).id, are=not take_back)

    run_decision("Different", decide, library, as_json, debug)


def _set_hidden(opened: Library, name: str, hidden: bool) -> RecordedDecision:
    return ReviewService(opened.database, actor()).set_hidden(
        PeopleService(opened.database).person(name).id, hidden
    )


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInputError(f"{text!r} is no date.", hint="Write it like 1815-12-10.") from error
