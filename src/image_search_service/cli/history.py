"""``image-search history``, ``undo`` and ``rebuild``: the decisions, and the tables that follow from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from image_search_service.cli.context import DebugOption, JsonOption, LibraryOption, actor
from image_search_service.cli.deciding import run_decision
from image_search_service.cli.library_command import library_command
from image_search_service.cli.output import table
from image_search_service.core.decisions import PERSON_FACTS, Change
from image_search_service.core.records.decisions import DecisionFilter
from image_search_service.core.types import JsonObject
from image_search_service.library.opening import Library
from image_search_service.services.decisions.history import HistoryService, ListedDecision
from image_search_service.services.decisions.replay import RebuildService
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.people.lookup import PeopleService

if TYPE_CHECKING:
    from rich.console import RenderableType

Decision = Annotated[
    int, typer.Argument(min=1, metavar="DECISION", help="Decision number; see `image-search history`.")
]
MOST_NAMES = 3
"""Persons who are named in a row; of more it is said how many."""


def history(
    decision: Annotated[
        int | None,
        typer.Argument(min=1, metavar="DECISION", help="Decision number, to list what it changed."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many rows to list.")] = 20,
    before: Annotated[
        int | None, typer.Option(min=1, metavar="DECISION", help="List only decisions before this number.")
    ] = None,
    of: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FACE", help="List only decisions about this person, or the face with this id."
        ),
    ] = None,
    by: Annotated[
        str | None, typer.Option(metavar="WHO", help="List only decisions that this user made.")
    ] = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """List decisions, or what one of them changed.

    The newest decision comes first.
    """
    with library_command(library=library, as_json=as_json, debug=debug) as (run, opened):
        shown = _list(opened, before, limit, of, by) if decision is None else _one(opened, decision, limit)
        run.out.result(*shown)


def _list(
    opened: Library, before: int | None, limit: int, of: str | None, by: str | None
) -> tuple[JsonObject, RenderableType]:
    subject = None if of is None else _subject(opened, of)
    events = HistoryService(opened.database).page(before, limit, DecisionFilter(subject, by))
    rows = [
        (
            event.decision.id,
            f"{event.decision.at:%Y-%m-%d %H:%M}",
            event.decision.actor,
            _kind(event),
            _whom(event),
            event.faces or None,
        )
        for event in events
    ]
    columns = ("", "When (UTC)", "Who", "What", "About", "Faces")
    return {"decisions": [_document(event) for event in events]}, table("Decisions", columns, rows)


def _one(opened: Library, decision: int, limit: int) -> tuple[JsonObject, RenderableType]:
    history = HistoryService(opened.database)
    event = history.event(decision)
    changes = [change for _, change in history.changes(decision, 0, limit)]
    names = {str(person): name for person, name in history.names(changes).items()}
    rows = [
        (
            change.key.fact.value.replace("_", " "),
            _of(change, names),
            _value(change.old, names),
            _value(change.new, names),
        )
        for change in changes
    ]
    title = f"Decision {decision}: {_kind(event)}, {event.decision.actor}, {event.decision.at:%Y-%m-%d %H:%M}"
    if len(changes) < event.changes:
        title += f"; {len(changes):,} of {event.changes:,} changes, --limit shows more"
    listed = [
        {
            "fact": change.key.fact.value,
            "subject_id": str(change.key.id),
            "other_id": str(change.key.other) if change.key.other else None,
            "old": change.old,
            "new": change.new,
        }
        for change in changes
    ]
    return _document(event) | {"facts": listed}, table(title, ("Fact", "Of", "Was", "Is"), rows)


def _document(event: ListedDecision) -> JsonObject:
    return {
        "id": event.decision.id,
        "kind": event.decision.kind,
        "actor": event.decision.actor,
        "at": event.decision.at.isoformat(),
        "undoes": event.decision.undoes,
        "changes": event.changes,
        "faces": event.faces,
        "persons": [{"id": str(person), "name": name} for person, name in event.persons.items()],
    }


def _kind(event: ListedDecision) -> str:
    undoes = event.decision.undoes
    return event.decision.kind.replace("_", " ") + (f" {undoes}" if undoes else "")


def _whom(event: ListedDecision) -> str:
    moved = event.decision.details.get("moved")
    if moved:
        by_id = {str(person): name for person, name in event.persons.items()}
        former = [by_id[person] for person in moved["from"] if person in by_id]
        return f"{_few(former)} to {by_id.get(moved['to'], 'somebody')}"
    return _few(list(event.persons.values()))


def _few(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _of(change: Change, names: Mapping[str, str]) -> str:
    """A face by its id, a person by name."""
    key = change.key
    ids: Sequence[UUID | None] = (key.id, key.other)
    shown = [names.get(str(id_), str(id_)) for id_ in ids if id_ is not None]
    return " and ".join(shown) if key.fact in PERSON_FACTS else ": ".join(shown)


def _value(value: Any, names: Mapping[str, str]) -> str:
    if isinstance(value, dict):
        person = value.get("person") or value.get("group") or value.get("cluster")
        by = " (machine)" if value.get("by") == "machine" else ""
        return "" if person is None else names.get(str(person), str(person)) + by
    return "" if value is None else names.get(str(value), str(value))


def _subject(opened: Library, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return PeopleService(opened.database).person(text).id


def undo(
    decision: Decision,
    another: Annotated[
        bool,
        typer.Option("--another", help="Undo even if somebody else has the name that comes back."),
    ] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Take a decision back.

    However old the decision is. Undoing an undo restores it.
    """
    run_decision(
        "Taken back",
        lambda opened: ReviewService(opened.database, actor()).undo(decision, another=another),
        library,
        as_json,
        debug,
    )


def rebuild(
    check: Annotated[bool, typer.Option("--check", help="Compare only; change nothing.")] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Compute the tables again from the decisions.

    Persons and the faces assigned to them become what the recorded decisions say.
    """
    with library_command(library=library, as_json=as_json, debug=debug) as (run, opened):
        service = RebuildService(opened.database)
        report = service.check() if check else service.rebuild()
        opened.payload_sender.send_if_it_answers()
        lines = [f"Facts compared: {report.facts:,}; not as the decisions say: {report.wrong:,}."]
        if report.miscounted:
            lines.append(f"Kept counts that were wrong: {report.miscounted:,}.")
        run.out.result(asdict(report), *lines, *report.examples, *report.miscounts)
        if check and (report.wrong or report.miscounted):
            raise typer.Exit(1)
