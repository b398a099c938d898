"""Commands that record decisions about persons, and assign faces by hand."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

import typer

from image_search_service.cli.context import FACE_IDS, DebugOption, JsonOption, LibraryOption, actor
from image_search_service.cli.deciding import (
    AnotherOption,
    SameOption,
    how_back,
    namesake,
    run_decision,
    run_person_decision,
)
from image_search_service.cli.library_command import library_command
from image_search_service.cli.people import SHOWN_ID
from image_search_service.core.errors import InvalidInputError
from image_search_service.library.opening import Library
from image_search_service.services.decisions.answers import AnswerService
from image_search_service.services.decisions.log import RecordedDecision
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.people.lookup import PeopleService

Name = Annotated[str, typer.Argument(metavar="NAME", help="The person's name.")]
Face = Annotated[
    UUID, typer.Argument(metavar="FACE", help="Id of one of the person's faces; see `image-search faces`.")
]
Faces = Annotated[list[UUID], typer.Argument(metavar="FACE", help=FACE_IDS)]


def create(
    name: Name,
    another: AnotherOption = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Add a person who has no faces yet."""
    with library_command(library=library, as_json=as_json, debug=debug) as (run, opened):
        named = ReviewService(opened.database, actor()).create_person(name, another=another)
        document = {"decision": named.decision, "person_id": str(named.person_id), "name": named.name}
        run.out.result(document, f"{named.name} is there now.", how_back(named.decision))


def give(
    faces: Faces,
    to: Annotated[str, typer.Option("--to", metavar="NAME", help="The person's name, new or known.")],
    same: SameOption = False,
    another: AnotherOption = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Assign faces to a person.

    Faces that belong to another person are taken away from them and not suggested for them again. If somebody
    has the name already, --same or --another says whether they are meant.
    """
    with library_command(library=library, as_json=as_json, debug=debug) as (run, opened):
        named = ReviewService(opened.database, actor()).split(faces, to, who=namesake(same, another))
        opened.payload_sender.send_if_it_answers()
        document = {
            "decision": named.decision,
            "person_id": str(named.person_id),
            "name": named.name,
            "faces": named.faces,
            "created": named.created,
        }
        sentence = f"{named.faces:,} faces are now {named.name}."
        run.out.result(document, sentence, how_back(named.decision))


def group(
    faces: Faces,
    into: Annotated[
        str | None,
        typer.Option("--into", metavar="GROUP", help="Id of the group; a new one if this is left out."),
    ] = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Move faces into a group without naming it.

    They stay there, apart from the faces that they were with, until you name the group or move them again.
    """
    with library_command(library=library, as_json=as_json, debug=debug) as (run, opened):
        made = ReviewService(opened.database, actor()).group_faces(faces, into)
        opened.payload_sender.send_if_it_answers()
        document = {"decision": made.decision, "cluster_id": str(made.cluster_id), "faces": made.faces}
        sentence = f"{made.faces:,} faces are the group {made.cluster_id.hex[:SHOWN_ID]}."
        run.out.result(document, sentence, how_back(made.decision))


def not_a_face(
    faces: Faces, library: LibraryOption = None, as_json: JsonOption = False, debug: DebugOption = False
) -> None:
    """Mark faces that are no faces.

    They are not grouped or suggested any more.
    """
    run_decision(
        "No faces",
        lambda opened: ReviewService(opened.database, actor()).not_a_face(faces),
        library,
        as_json,
        debug,
    )


def set_aside(
    groups: Annotated[
        list[str] | None, typer.Argument(metavar="GROUP", help="Group ids; see `image-search people`.")
    ] = None,
    faces: Annotated[
        list[UUID] | None,
        typer.Option(
            "--face", metavar="FACE", help="Face id; see `image-search faces`. May be given several times."
        ),
    ] = None,
    take_back: Annotated[
        bool, typer.Option("--take-back", help="Show them in lists and searches again.")
    ] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Leave out faces of strangers.

    They are in no list, search or grouping, and suggested for nobody.
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
    """Delete a person who has no faces."""

    def decide(review: ReviewService, person_id: UUID) -> RecordedDecision:
        return review.delete_person(person_id)

    run_person_decision("Deleted", name, decide, library, as_json, debug)


def hide(
    name: Name, library: LibraryOption = None, as_json: JsonOption = False, debug: DebugOption = False
) -> None:
    """Leave a person out of lists."""
    run_person_decision(
        "Hidden", name, lambda review, person: review.set_hidden(person, True), library, as_json, debug
    )


def unhide(
    name: Name, library: LibraryOption = None, as_json: JsonOption = False, debug: DebugOption = False
) -> None:
    """Show a hidden person in lists again."""
    run_person_decision(
        "Shown again", name, lambda review, person: review.set_hidden(person, False), library, as_json, debug
    )


def born(
    name: Name,
    day: Annotated[
        str,
        typer.Argument(metavar="DATE", help="Date of birth, such as 1815-12-10; left out, it is removed."),
    ] = "",
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Set or remove a person's date of birth.

    `image-search conflicts` lists photos of the person that were taken before it.
    """

    def decide(review: ReviewService, person_id: UUID) -> RecordedDecision:
        return review.set_birth_date(person_id, _date(day) if day else None)

    run_person_decision("Birth date", name, decide, library, as_json, debug)


def note(
    name: Name,
    text: Annotated[
        str,
        typer.Argument(metavar="TEXT", help='A few words, such as "cousin"; left out, they are removed.'),
    ] = "",
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Set a note that tells people of one name apart.

    Lists show it where two people have one name. Of these, give the id as NAME.
    """

    def decide(review: ReviewService, person_id: UUID) -> RecordedDecision:
        return review.set_note(person_id, text)

    run_person_decision("Note", name, decide, library, as_json, debug)


def cover(
    name: Name,
    face: Face,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Choose the face that is shown for a person."""

    def decide(review: ReviewService, person_id: UUID) -> RecordedDecision:
        return review.set_cover_face(person_id, face)

    run_person_decision("Cover", name, decide, library, as_json, debug)


def pin(
    name: Name,
    face: Face,
    take_back: Annotated[bool, typer.Option("--take-back", help="Unpin the face.")] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Make searches for a person always use this face.

    The face becomes a prototype of the person; jobs that choose prototypes leave it in place.
    """

    def decide(review: ReviewService, person_id: UUID) -> RecordedDecision:
        return review.pin_prototype(person_id, face, pinned=not take_back)

    run_person_decision("Pinned", name, decide, library, as_json, debug)


def different(
    first: Annotated[
        str, typer.Argument(metavar="NAME", help="A person's name, or with --groups a group id.")
    ],
    second: Annotated[str, typer.Argument(metavar="OTHER", help="The other name or group id.")],
    groups: Annotated[bool, typer.Option("--groups", help="Both are ids of groups without a name.")] = False,
    take_back: Annotated[
        bool, typer.Option("--take-back", help="Two persons may be the same after all.")
    ] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Say that two people or groups are different.

    They are not merged or suggested for each other any more.
    """
    if groups and take_back:
        raise typer.BadParameter(
            "to take back a difference between groups, undo its decision with image-search undo"
        )

    def decide(opened: Library) -> RecordedDecision:
        service, people = ReviewService(opened.database, actor()), PeopleService(opened.database)
        if groups:
            return service.mark_clusters_different(first, second)
        return service.mark_different(people.person(first).id, people.person(second).id, are=not take_back)

    run_decision("Different", decide, library, as_json, debug)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInputError(f"{text!r} is no date.", hint="Write it like 1815-12-10.") from error
