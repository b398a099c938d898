"""Moves a library to another engine, from the first photo to the last group, for the command ``engine``."""

from __future__ import annotations

from dataclasses import dataclass

from image_search_service.core.types import EngineIdentity
from image_search_service.db.models import EngineChange
from image_search_service.db.queries import library
from image_search_service.db.queries.engine_change import changes
from image_search_service.library.engine import Watch, identity_of
from image_search_service.library.stores import Stores
from image_search_service.services.engine_change.applying import (
    EngineChangeReport,
    count_kept_groups,
    give_up,
)
from image_search_service.services.engine_change.service import EngineChangeService
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.indexing.orphans import remove_orphaned_points
from image_search_service.services.jobs.outbox import PayloadSender


@dataclass(frozen=True, slots=True)
class AlreadyBound:
    """The library has this engine already. given_up: the engine of a move that was abandoned, if there was
    one."""

    engine: EngineIdentity
    given_up: EngineIdentity | None


@dataclass(frozen=True, slots=True)
class MoveResult:
    """The result of a move. groups: clusters after it; kept_groups: those that kept their id."""

    report: EngineChangeReport
    groups: int
    kept_groups: int


def move_library(stores: Stores, name: str, watch: Watch) -> MoveResult | AlreadyBound:
    """Bind the library to the engine ``name``, with everything that was said of its faces.

    If it has that engine already, a move that has begun is given up. watch: shows the progress of one step.

    Raises InvalidInputError for an unknown engine, NotFoundError for an empty library, ConflictError while it
    is being moved to a third engine, UnavailableError when models cannot be had or a store fails; then the
    next call goes on.
    """
    stores.binding.require_row()
    if _applied_change(stores) is not None:
        _finish(stores, watch)
    engine, files = stores.binding.open_other(name)
    if engine.identity == identity_of(stores.binding.require_row()):
        return AlreadyBound(engine.identity, give_up_move(stores))
    with watch(f"Finding faces with {engine.identity.name}", "photos") as progress:
        report = EngineChangeService(stores, engine, files).run(progress)
    stores.use_bound_engine()
    _finish(stores, watch)
    with stores.database.read() as session:
        groups = library.library_counts(session).clusters
    return MoveResult(report, groups, count_kept_groups(stores.database, report.groups))


def engine_under_way(stores: Stores) -> EngineIdentity | None:
    """The engine to which the library is being moved; None if no move has begun."""
    with stores.database.read() as session:
        change = changes.unfinished_change(session)
        return None if change is None or change.applied_at is not None else change.target


def give_up_move(stores: Stores) -> EngineIdentity | None:
    """Forget a move that has begun and not been applied; the engine that it would have led to."""
    change = give_up(stores.database, stores.paths)
    if change is None:
        return None
    _remove_collections(stores, change.target)
    with stores.database.write() as session:
        changes.finish_change(session, change.id)
    return change.target


def _finish(stores: Stores, watch: Watch) -> None:
    """After the library was bound to its new engine: group its faces, and remove the former embeddings."""
    with watch("Comparing faces", "blocks") as progress:
        FaceClusteringService(stores).group_if_stale(progress)
    PayloadSender(stores).send()
    change = _applied_change(stores)
    if change is not None:
        _remove_collections(stores, change.former)
        remove_orphaned_points(stores.database, stores.faces)
        with stores.database.write() as session:
            changes.finish_change(session, change.id)


def _applied_change(stores: Stores) -> EngineChange | None:
    """A move whose last transaction is done and of which something is left to do."""
    with stores.database.read() as session:
        change = changes.unfinished_change(session)
        session.expunge_all()
    return None if change is None or change.applied_at is None else change


def _remove_collections(stores: Stores, engine: EngineIdentity) -> None:
    uid = stores.binding.require_row().uid
    stores.collections.faces_of(engine, uid).remove_collection()
    stores.collections.centroids_of(engine, uid).remove_collection()
