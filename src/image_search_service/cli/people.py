"""``image-search people``, ``name`` and ``photos``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from image_search_service.cli.context import DebugOption, JsonOption, LibraryOption, actor
from image_search_service.cli.deciding import AnotherOption, SameOption, how_back, namesake
from image_search_service.cli.library_command import library_command
from image_search_service.cli.output import table
from image_search_service.core.types import JsonObject
from image_search_service.services.people.lookup import People, PeopleService

if TYPE_CHECKING:
    from rich.console import RenderableType

SHOWN_ID = 8
"""Characters of a cluster's id that are shown; enough to name it among millions."""


def people(
    limit: Annotated[int, typer.Option(min=1, help="How many groups to list.")] = 40,
    hidden: Annotated[
        bool,
        typer.Option(
            "--hidden", help="List the hidden people and the groups set aside instead of the others."
        ),
    ] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """List people with a name and groups without one.

    The largest come first.
    """
    with library_command(as_json=as_json, debug=debug, library=library) as (run, opened):
        listed = PeopleService(opened.database).people(hidden=hidden)
        document = {"people": _person_fields(listed), "clusters": _cluster_fields(listed)}
        run.out.result(document, *_people_tables(listed, limit))


def _person_fields(listed: People) -> list[JsonObject]:
    return [
        {
            "id": str(person.id),
            "name": person.name,
            "note": person.note,
            "faces": person.faces,
            "photos": person.photos,
            "sample": str(person.sample) if person.sample else None,
        }
        for person in listed.persons
    ]


def _cluster_fields(listed: People) -> list[JsonObject]:
    return [
        {
            "id": str(cluster.id),
            "faces": cluster.faces,
            "confidence": round(cluster.confidence, 4),
            "representative_face_id": str(cluster.representative_face_id),
            "sample": str(cluster.sample) if cluster.sample else None,
        }
        for cluster in listed.clusters
    ]


def _people_tables(listed: People, limit: int) -> list[RenderableType]:
    unnamed = table(
        _title(len(listed.clusters), limit),
        ("Group", "Faces", "Confidence", "For example in"),
        [
            (cluster.id.hex[:SHOWN_ID], cluster.faces, cluster.confidence, cluster.sample)
            for cluster in listed.clusters[:limit]
        ],
    )
    if not listed.persons:
        return [unnamed]
    rows = [
        (called, person.faces, person.photos, person.sample)
        for called, person in zip(listed.names, listed.persons, strict=True)
    ]
    return [table("People", ("Name", "Faces", "Photos", "For example in"), rows), "", unnamed]


def _title(groups: int, limit: int) -> str:
    if groups <= limit:
        return f"Groups without a name: {groups:,}"
    return f"Groups without a name: {groups:,}, the largest {limit:,}"


def name(
    cluster: Annotated[
        str,
        typer.Argument(metavar="GROUP", help="Group id or its first characters; see `image-search people`."),
    ],
    person: Annotated[str, typer.Argument(metavar="NAME", help="The person's name, new or known.")],
    same: SameOption = False,
    another: AnotherOption = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Name a group of faces.

    Its faces are assigned to a new person of that name. If somebody has the name already, --same or --another
    says whether they are meant.
    """
    from image_search_service.services.decisions.service import ReviewService

    with library_command(as_json=as_json, debug=debug, library=library) as (run, opened):
        named = ReviewService(opened.database, actor()).name_cluster(
            cluster, person, who=namesake(same, another)
        )
        opened.payload_sender.send_if_it_answers()
        document = {
            "person_id": str(named.person_id),
            "name": named.name,
            "faces": named.faces,
            "created": named.created,
            "faces_kept_away": named.kept_away,
            "decision": named.decision,
        }
        who = "a new person" if named.created else "who was known already"
        sentence = f"{named.faces:,} faces are now {named.name}, {who}."
        if named.kept_away:
            sentence += f" {named.kept_away:,} stay away: you said that they are not {named.name}."
        run.out.result(document, sentence, how_back(named.decision))


def photos(
    person: Annotated[
        list[str],
        typer.Option(
            "--person",
            metavar="NAME",
            help="The person's name; once for each person who must be in the photo.",
        ),
    ],
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """List the photos that show all of these people.

    The oldest photo comes first.
    """
    with library_command(as_json=as_json, debug=debug, library=library) as (run, opened):
        shared = PeopleService(opened.database).photos(person)
        document = {
            "people": person,
            "photos": [
                {"asset_id": str(photo.asset_id), "path": str(photo.path) if photo.path else None}
                for photo in shared
            ],
        }
        rows = [(photo.path or f"missing: {photo.asset_id}",) for photo in shared]
        run.out.result(document, table(f"Photos of {' and '.join(person)}: {len(shared):,}", ("File",), rows))
