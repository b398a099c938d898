"""The tables of the first released version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0100"
down_revision = None
branch_labels = None
depends_on = None

EVENTS = ("decisions", "decision_changes")
REFUSAL = "decisions are appended and never changed"
TABLES = (
    "clusters",
    "decisions",
    "engine_changes",
    "image_assets",
    "index_roots",
    "index_runs",
    "jobs",
    "library",
    "persons",
    "review_skips",
    "asset_paths",
    "decision_changes",
    "face_instances",
    "person_centroids",
    "person_differences",
    "staged_faces",
    "staged_photos",
    "face_differences",
    "face_suggestions",
    "person_prototypes",
)
"""In the order in which they are created: a table refers to those before it."""


def upgrade() -> None:
    _create_clusters()
    _create_decisions()
    _create_engine_changes()
    _create_image_assets()
    _create_index_roots()
    _create_index_runs()
    _create_jobs()
    _create_library()
    _create_persons()
    _create_review_skips()
    _create_asset_paths()
    _create_decision_changes()
    _create_face_instances()
    _create_person_centroids()
    _create_person_differences()
    _create_staged_faces()
    _create_staged_photos()
    _create_face_differences()
    _create_face_suggestions()
    _create_person_prototypes()
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
    for table in EVENTS:
        _refuse_changes(table)


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


def _create_clusters() -> None:
    op.create_table(
        "clusters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("representative_face_id", sa.Uuid(), nullable=False),
        sa.Column("set_aside", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clusters")),
    )
    op.create_index("ix_clusters_size", "clusters", ["set_aside", "size", "id"], unique=False)


def _create_decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undoes", sa.Integer(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["undoes"], ["decisions.id"], name=op.f("fk_decisions_undoes_decisions")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
    )
    op.create_index(op.f("ix_decisions_undoes"), "decisions", ["undoes"], unique=False)


def _create_engine_changes() -> None:
    op.create_table(
        "engine_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("former_name", sa.String(), nullable=False),
        sa.Column("former_checksum", sa.String(), nullable=False),
        sa.Column("former_dimension", sa.Integer(), nullable=False),
        sa.Column("engine_name", sa.String(), nullable=False),
        sa.Column("engine_checksum", sa.String(), nullable=False),
        sa.Column("dimension", sa.Integer(), nullable=False),
        sa.Column("engine_files", sa.JSON(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_engine_changes")),
    )


def _create_image_assets() -> None:
    op.create_table(
        "image_assets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("format", sa.String(length=16), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("taken_at", sa.DateTime(), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("replaced", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_image_assets")),
        sa.UniqueConstraint("content_hash", name=op.f("uq_image_assets_content_hash")),
    )
    op.create_index(
        "ix_image_assets_failed",
        "image_assets",
        ["failure", "id"],
        unique=False,
        sqlite_where=sa.text("failure IS NOT NULL"),
        postgresql_where=sa.text("failure IS NOT NULL"),
    )
    op.create_index(
        "ix_image_assets_replaced",
        "image_assets",
        ["replaced", "id"],
        unique=False,
        sqlite_where=sa.text("replaced = 1"),
        postgresql_where=sa.text("replaced"),
    )
    op.create_index(
        "ix_image_assets_shown",
        "image_assets",
        ["taken_at", "id", "replaced", "failure"],
        unique=False,
        sqlite_where=sa.text("failure IS NULL AND replaced = 0"),
        postgresql_where=sa.text("failure IS NULL AND NOT replaced"),
    )


def _create_index_roots() -> None:
    op.create_table(
        "index_roots",
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("indexed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("path", name=op.f("pk_index_roots")),
    )


def _create_index_runs() -> None:
    op.create_table(
        "index_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_runs")),
    )


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index("ix_jobs_created_at", "jobs", ["created_at", "id"], unique=False)
    op.create_index(
        "uq_jobs_active_key",
        "jobs",
        ["key"],
        unique=True,
        sqlite_where=sa.text("state IN ('queued', 'running')"),
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )


def _create_library() -> None:
    op.create_table(
        "library",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("engine_name", sa.String(), nullable=False),
        sa.Column("engine_checksum", sa.String(), nullable=False),
        sa.Column("dimension", sa.Integer(), nullable=False),
        sa.Column("engine_files", sa.JSON(), nullable=False),
        sa.Column("grouping_stale", sa.Boolean(), nullable=False),
        sa.Column("grouping", sa.JSON(), nullable=True),
        sa.Column("calibration", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library")),
    )


def _create_persons() -> None:
    op.create_table(
        "persons",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("merged_into", sa.Uuid(), nullable=True),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("cover_face_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["merged_into"], ["persons.id"], name=op.f("fk_persons_merged_into_persons")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_persons")),
    )
    op.create_index(
        "uq_persons_name_key",
        "persons",
        ["name_key"],
        unique=True,
        sqlite_where=sa.text("NOT deleted"),
        postgresql_where=sa.text("NOT deleted"),
    )


def _create_review_skips() -> None:
    op.create_table(
        "review_skips",
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("skips", sa.Integer(), nullable=False),
        sa.Column("at_answer", sa.Integer(), nullable=False),
        sa.Column("skipped_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_review_skips")),
    )
    op.create_index(op.f("ix_review_skips_skipped_at"), "review_skips", ["skipped_at"], unique=False)


def _create_asset_paths() -> None:
    op.create_table(
        "asset_paths",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("folder", sa.LargeBinary(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("modified_ns", sa.BigInteger(), nullable=False),
        sa.Column("seen_in_run", sa.Integer(), nullable=False),
        sa.Column("missing_since", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["image_assets.id"], name=op.f("fk_asset_paths_asset_id_image_assets")
        ),
        sa.ForeignKeyConstraint(
            ["seen_in_run"], ["index_runs.id"], name=op.f("fk_asset_paths_seen_in_run_index_runs")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asset_paths")),
        sa.UniqueConstraint("path", name=op.f("uq_asset_paths_path")),
    )
    op.create_index(op.f("ix_asset_paths_asset_id"), "asset_paths", ["asset_id"], unique=False)
    op.create_index(
        "ix_asset_paths_folder",
        "asset_paths",
        ["folder", "asset_id", "missing_since"],
        unique=False,
        sqlite_where=sa.text("missing_since IS NULL"),
        postgresql_where=sa.text("missing_since IS NULL"),
    )


def _create_decision_changes() -> None:
    op.create_table(
        "decision_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("fact", sa.String(length=32), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=True),
        sa.Column("old", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("new", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decisions.id"], name=op.f("fk_decision_changes_decision_id_decisions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision_changes")),
    )
    op.create_index(
        op.f("ix_decision_changes_decision_id"), "decision_changes", ["decision_id"], unique=False
    )
    op.create_index("ix_decision_changes_subject", "decision_changes", ["subject_id", "fact"], unique=False)


def _create_face_instances() -> None:
    op.create_table(
        "face_instances",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("qdrant_point_id", sa.Uuid(), nullable=False),
        sa.Column("box_x", sa.Double(), nullable=False),
        sa.Column("box_y", sa.Double(), nullable=False),
        sa.Column("box_width", sa.Double(), nullable=False),
        sa.Column("box_height", sa.Double(), nullable=False),
        sa.Column("landmarks", sa.JSON(), nullable=False),
        sa.Column("detection_confidence", sa.Double(), nullable=False),
        sa.Column("quality_score", sa.Double(), nullable=False),
        sa.Column("quality_parts", sa.JSON(), nullable=False),
        sa.Column("recognizable", sa.Boolean(), nullable=False),
        sa.Column("is_face", sa.Boolean(), nullable=False),
        sa.Column("set_aside", sa.Boolean(), nullable=False),
        sa.Column("taken_at", sa.DateTime(), nullable=True),
        sa.Column("cluster_id", sa.Uuid(), nullable=True),
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("assigned_by", sa.String(length=16), nullable=True),
        sa.Column("payload_version", sa.Integer(), nullable=False),
        sa.Column("payload_sent", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["image_assets.id"], name=op.f("fk_face_instances_asset_id_image_assets")
        ),
        sa.ForeignKeyConstraint(
            ["cluster_id"], ["clusters.id"], name=op.f("fk_face_instances_cluster_id_clusters")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_face_instances_person_id_persons")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_face_instances")),
        sa.UniqueConstraint("asset_id", "position", name=op.f("uq_face_instances_asset_id_position")),
        sa.UniqueConstraint("qdrant_point_id", name=op.f("uq_face_instances_qdrant_point_id")),
    )
    op.create_index(
        "ix_face_instances_asset_person", "face_instances", ["asset_id", "person_id", "is_face"], unique=False
    )
    op.create_index(
        "ix_face_instances_cluster_quality",
        "face_instances",
        ["cluster_id", "quality_score", "id"],
        unique=False,
    )
    op.create_index(
        "ix_face_instances_no_face",
        "face_instances",
        ["is_face", "quality_score", "id", "asset_id"],
        unique=False,
        sqlite_where=sa.text("is_face = 0"),
        postgresql_where=sa.text("NOT is_face"),
    )
    op.create_index(
        "ix_face_instances_payload_due",
        "face_instances",
        ["id"],
        unique=False,
        sqlite_where=sa.text("payload_sent < payload_version"),
        postgresql_where=sa.text("payload_sent < payload_version"),
    )
    op.create_index(
        "ix_face_instances_person_quality",
        "face_instances",
        ["person_id", "quality_score", "id", "asset_id"],
        unique=False,
    )
    op.create_index(
        "ix_face_instances_person_taken",
        "face_instances",
        ["person_id", "taken_at", "id", "asset_id"],
        unique=False,
    )
    op.create_index(
        "ix_face_instances_unnamed",
        "face_instances",
        ["person_id", "cluster_id", "is_face", "quality_score", "id", "asset_id"],
        unique=False,
        sqlite_where=sa.text("person_id IS NULL"),
        postgresql_where=sa.text("person_id IS NULL"),
    )


def _create_person_centroids() -> None:
    op.create_table(
        "person_centroids",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("algorithm_version", sa.Integer(), nullable=False),
        sa.Column("faces", sa.Integer(), nullable=False),
        sa.Column("faces_used", sa.Integer(), nullable=False),
        sa.Column("source_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_person_centroids_person_id_persons")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_centroids")),
    )
    op.create_index(
        "uq_person_centroids_active",
        "person_centroids",
        ["person_id"],
        unique=True,
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )


def _create_person_differences() -> None:
    op.create_table(
        "person_differences",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["other_id"], ["persons.id"], name=op.f("fk_person_differences_other_id_persons")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_person_differences_person_id_persons")
        ),
        sa.PrimaryKeyConstraint("person_id", "other_id", name=op.f("pk_person_differences")),
    )


def _create_staged_faces() -> None:
    op.create_table(
        "staged_faces",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["image_assets.id"], name=op.f("fk_staged_faces_asset_id_image_assets")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staged_faces")),
    )
    op.create_index(op.f("ix_staged_faces_asset_id"), "staged_faces", ["asset_id"], unique=False)


def _create_staged_photos() -> None:
    op.create_table(
        "staged_photos",
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("failure", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["image_assets.id"], name=op.f("fk_staged_photos_asset_id_image_assets")
        ),
        sa.PrimaryKeyConstraint("asset_id", name=op.f("pk_staged_photos")),
    )


def _create_face_differences() -> None:
    op.create_table(
        "face_differences",
        sa.Column("difference_id", sa.Uuid(), nullable=False),
        sa.Column("face_instance_id", sa.Uuid(), nullable=False),
        sa.Column("side", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["face_instance_id"],
            ["face_instances.id"],
            name=op.f("fk_face_differences_face_instance_id_face_instances"),
        ),
        sa.PrimaryKeyConstraint("difference_id", "face_instance_id", name=op.f("pk_face_differences")),
    )
    op.create_index(
        op.f("ix_face_differences_face_instance_id"), "face_differences", ["face_instance_id"], unique=False
    )


def _create_face_suggestions() -> None:
    op.create_table(
        "face_suggestions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("face_instance_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("threshold", sa.Double(), nullable=True),
        sa.Column("second_person_id", sa.Uuid(), nullable=True),
        sa.Column("second_similarity", sa.Double(), nullable=True),
        sa.Column("margin", sa.Double(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["face_instance_id"],
            ["face_instances.id"],
            name=op.f("fk_face_suggestions_face_instance_id_face_instances"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_face_suggestions_person_id_persons")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_face_suggestions")),
    )
    op.create_index(
        "ix_face_suggestions_face_person", "face_suggestions", ["face_instance_id", "person_id"], unique=False
    )
    op.create_index(op.f("ix_face_suggestions_person_id"), "face_suggestions", ["person_id"], unique=False)
    op.create_index(
        "ix_face_suggestions_waiting",
        "face_suggestions",
        ["state", "person_id", "face_instance_id"],
        unique=False,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "uq_face_suggestions_pending",
        "face_suggestions",
        ["face_instance_id", "person_id"],
        unique=True,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )


def _create_person_prototypes() -> None:
    op.create_table(
        "person_prototypes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("face_instance_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["face_instance_id"],
            ["face_instances.id"],
            name=op.f("fk_person_prototypes_face_instance_id_face_instances"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_person_prototypes_person_id_persons")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_prototypes")),
        sa.UniqueConstraint(
            "person_id", "face_instance_id", name=op.f("uq_person_prototypes_person_id_face_instance_id")
        ),
    )
    op.create_index(op.f("ix_person_prototypes_person_id"), "person_prototypes", ["person_id"], unique=False)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")
