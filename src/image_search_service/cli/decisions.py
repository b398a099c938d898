"""Commands that record decisions about suggestions and faces, and ``conflicts``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from image_search_service.cli.context import FACE_IDS, DebugOption, JsonOption, LibraryOption, actor
from image_search_service.cli.deciding import run_decision, run_person_decision
from image_search_service.cli.library_command import library_command
from image_search_service.cli.output import table
from image_search_service.cli.suggest import METHODS
from image_search_service.core.errors import InvalidInputError
from image_search_service.library.opening import Library
from image_search_service.services.decisions.log import RecordedDecision
from image_search_service.services.decisions.lost_faces import LostFaceService
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.people.lookup import PeopleService

if TYPE_CHECKING:
    from rich.console import RenderableType

LOST_HELP = (
    "A lost face is answered by `image-search lost FACE --found FACE`, or `--gone`; `--json` lists the faces "
    "that it may be."
)
Faces = Annotated[list[UUID], typer.Argument(metavar="FACE", help=FACE_IDS)]
SuggestedFaces = Annotated[
    list[UUID] | None,
    typer.Argument(metavar="FACE", help="Face ids, as `image-search suggest` lists them; none for all."),
]
Person = Annotated[str, typer.Option("--person", metavar="NAME", help="The person's name.")]
FindMoreOption = Annotated[
    str | None,
    typer.Option("--find-more", metavar=METHODS, help="Afterwards look for more faces of the person."),
]


def accept(
    person: Person,
    faces: SuggestedFaces = None,
    by: FindMoreOption = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Confirm faces suggested for a person.

    Without ids, all that are suggested for the person.
    """
    run_decision(
        "Accepted", lambda opened: _review(opened, person, faces, True), library, as_json, debug, find_more=by
    )


def reject(
    person: Person,
    faces: SuggestedFaces = None,
    by: FindMoreOption = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Reject faces suggested for a person.

    Without ids, all that are suggested for the person. They are not suggested for this person again.
    """
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
    """Take faces away from their persons.

    They are not suggested for these persons again.
    """
    run_decision(
        "Taken away",
        lambda opened: ReviewService(opened.database, actor()).unassign_faces(faces),
        library,
        as_json,
        debug,
    )


def merge(
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Names of the persons to merge.")],
    into: Annotated[str, typer.Option("--into", metavar="NAME", help="The person who stays.")],
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Merge several people into one person."""

    def decide(opened: Library) -> RecordedDecision:
        people = PeopleService(opened.database)
        others = [people.person(name).id for name in names]
        return ReviewService(opened.database, actor()).merge_persons(others, people.person(into).id)

    run_decision("Merged", decide, library, as_json, debug)


def rename(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The person's name now.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The new name.")],
    another: Annotated[
        bool, typer.Option("--another", help="Rename even if somebody else has that name.")
    ] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Change a person's name."""

    def decide(review: ReviewService, person_id: UUID) -> RecordedDecision:
        return review.rename_person(person_id, new, another=another)

    run_person_decision("Renamed", name, decide, library, as_json, debug)


def conflicts(
    limit: Annotated[int, typer.Option(min=1, help="How many conflicts of each kind to list.")] = 20,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """List assignments that contradict each other.

    A person twice in one photo or before their birth, a face unlike its person's others, two persons who look
    the same, a name that lost its face when the photo was changed (`image-search lost` says where it is).
    """
    from image_search_service.services.suggestions.conflict_finder import ConflictFinder
    from image_search_service.services.suggestions.conflicts import ConflictKind, ConflictService

    with library_command(library=library, as_json=as_json, debug=debug) as (run, opened):
        opened.stores.require_embeddings()
        ConflictFinder(opened.stores).look()
        conflicts_listed = ConflictService(opened.database).find(limit)
        document = {
            "conflicts": [
                {
                    "kind": conflict.kind.value,
                    "names": conflict.names,
                    "person_ids": [str(person) for person in conflict.person_ids],
                    "face_ids": [str(face) for face in conflict.face_ids],
                    "asset_id": None if conflict.asset_id is None else str(conflict.asset_id),
                    "path": None if conflict.path is None else str(conflict.path),
                    "similarity": conflict.similarity,
                    "name_in_file": conflict.name_in_file,
                    "candidate_face_ids": [str(face) for face in conflict.candidate_ids],
                }
                for conflict in conflicts_listed
            ]
        }
        rows = [
            (
                conflict.kind.value.replace("_", " "),
                ", ".join(conflict.names)
                + (f"; in the file: {conflict.name_in_file}" if conflict.name_in_file else ""),
                conflict.similarity,
                ", ".join(map(str, conflict.face_ids)),
                conflict.path or "",
            )
            for conflict in conflicts_listed
        ]
        title = f"Perhaps wrong: {len(conflicts_listed):,}"
        shown: list[RenderableType] = [table(title, ("What", "Who", "Similarity", "Faces", "Photo"), rows)]
        if any(conflict.kind is ConflictKind.LOST_FACE for conflict in conflicts_listed):
            shown += ["", LOST_HELP]
        run.out.result(document, *shown)


def lost(
    face: Annotated[
        UUID, typer.Argument(metavar="FACE", help="Id of the lost face; see `image-search conflicts`.")
    ],
    found: Annotated[
        UUID | None, typer.Option("--found", metavar="FACE", help="Id of the face that has the name now.")
    ] = None,
    gone: Annotated[bool, typer.Option("--gone", help="No face in the photo has the name now.")] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Say which face has a name after its photo changed.

    A name loses its face when the face is not found again in a photo that was changed or replaced.
    """

    def decide(opened: Library) -> RecordedDecision:
        if gone == (found is not None):
            raise InvalidInputError("Either --found FACE or --gone is needed, and not both.")
        service = LostFaceService(opened.database, actor())
        return service.nowhere(face) if found is None else service.found(face, found)

    run_decision("Answered", decide, library, as_json, debug)
