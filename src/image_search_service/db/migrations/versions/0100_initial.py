"""The tables of the first released version; ``migrations/initial/`` creates them."""

from __future__ import annotations

from alembic import op

from image_search_service.db.migrations.initial import (
    conflicts,
    decisions,
    engine_changes,
    faces,
    grouping,
    jobs,
    library,
    people,
    photos,
    review,
    suggestions,
    tokens,
)
from image_search_service.db.models.kept import on_postgresql
from image_search_service.db.models.kept.triggers import trigger_statements

revision = "0100"
down_revision = None
branch_labels = None
depends_on = None

EVENTS = ("decisions", "decision_changes")
REFUSAL = "decisions are appended and never changed"
TABLES = {
    "access_tokens": tokens.create_access_tokens,
    "clusters": faces.create_clusters,
    "conflicts": conflicts.create_conflicts,
    "decisions": decisions.create_decisions,
    "engine_changes": engine_changes.create_engine_changes,
    "image_assets": photos.create_image_assets,
    "grouping_proposals": grouping.create_grouping_proposals,
    "index_roots": photos.create_index_roots,
    "unread_files": photos.create_unread_files,
    "absent_folders": photos.create_absent_folders,
    "index_runs": photos.create_index_runs,
    "jobs": jobs.create_jobs,
    "library": library.create_library,
    "store_marks": library.create_store_marks,
    "turns": library.create_turns,
    "persons": people.create_persons,
    "review_skips": review.create_review_skips,
    "asset_paths": photos.create_asset_paths,
    "people_in_files": photos.create_people_in_files,
    "decision_changes": decisions.create_decision_changes,
    "face_instances": faces.create_face_instances,
    "person_centroids": people.create_person_centroids,
    "person_differences": people.create_person_differences,
    "staged_faces": engine_changes.create_staged_faces,
    "staged_photos": engine_changes.create_staged_photos,
    "face_differences": faces.create_face_differences,
    "lost_faces": faces.create_lost_faces,
    "names_in_files": faces.create_names_in_files,
    "face_suggestions": suggestions.create_face_suggestions,
    "person_prototypes": people.create_person_prototypes,
}
"""What creates each table, in the order in which they are created: a table refers to those before it."""


def upgrade() -> None:
    for create_table in TABLES.values():
        create_table()
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
    for table in EVENTS:
        _refuse_changes(table)
    for _, statement in trigger_statements(op.get_bind().dialect.name):
        op.execute(statement)


def _refuse_changes(table: str) -> None:
    """Triggers that keep events, so that neither a bug nor a hand on the console changes them."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE TRIGGER {table}_are_kept BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        return
    for change in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER {table}_are_kept_{change} BEFORE {change} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        for function in ("refuse_change", *(trigger.name for trigger in on_postgresql.TRIGGERS)):
            op.execute(f"DROP FUNCTION {function}()")
