"""Decisions as events. What humans have said so far becomes the first of them."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
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
    op.create_index(op.f("ix_decision_changes_decision_id"), "decision_changes", ["decision_id"])
    op.create_index("ix_decision_changes_subject", "decision_changes", ["subject_id", "fact"])
    with op.batch_alter_table("persons", schema=None) as batch_op:
        batch_op.drop_constraint("uq_persons_name_key", type_="unique")
        batch_op.add_column(sa.Column("gone", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("merged_into", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("hidden", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("birth_date", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("cover_face_id", sa.Uuid(), nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_persons_merged_into_persons"), "persons", ["merged_into"], ["id"]
        )
    with op.batch_alter_table("persons", schema=None) as batch_op:
        batch_op.alter_column("gone", existing_type=sa.Boolean(), server_default=None)
        batch_op.alter_column("hidden", existing_type=sa.Boolean(), server_default=None)
        batch_op.create_index(
            "uq_persons_name_key",
            ["name_key"],
            unique=True,
            sqlite_where=sa.text("NOT gone"),
            postgresql_where=sa.text("NOT gone"),
        )
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
    with op.batch_alter_table("face_instances", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_face", sa.Boolean(), nullable=False, server_default=sa.true()))
    with op.batch_alter_table("face_instances", schema=None) as batch_op:
        batch_op.alter_column("is_face", existing_type=sa.Boolean(), server_default=None)
    _record_what_was_said()


def _record_what_was_said() -> None:
    """One event with every name and every face that a human gave to somebody."""
    connection = op.get_bind()
    persons = sa.table("persons", sa.column("id", sa.Uuid()), sa.column("name", sa.String()))
    faces = sa.table(
        "face_instances",
        sa.column("id", sa.Uuid()),
        sa.column("person_id", sa.Uuid()),
        sa.column("assigned_by", sa.String()),
    )
    named = connection.execute(sa.select(persons.c.id, persons.c.name).order_by(persons.c.id)).all()
    if not named:
        return
    placed = connection.execute(
        sa.select(faces.c.id, faces.c.person_id).where(faces.c.assigned_by == "human").order_by(faces.c.id)
    ).all()
    rows = [
        *(("person_gone", person, True, False) for person, _ in named),
        *(("person_name", person, None, name) for person, name in named),
        *(("face_person", face, None, {"person": str(person), "by": "human"}) for face, person in placed),
    ]
    decisions = sa.table(
        "decisions",
        *(sa.column(name) for name in ("id", "kind", "actor")),
        sa.column("at", sa.DateTime(timezone=True)),
        sa.column("details", sa.JSON()),
    )
    changes = sa.table(
        "decision_changes",
        sa.column("decision_id"),
        sa.column("fact"),
        sa.column("subject_id", sa.Uuid()),
        sa.column("old", sa.JSON(none_as_null=True)),
        sa.column("new", sa.JSON(none_as_null=True)),
    )
    moment = datetime.now(UTC)
    first = sa.insert(decisions).values(kind="imported", actor="migration", at=moment, details={})
    connection.execute(first)
    (number,) = connection.execute(sa.select(sa.func.max(decisions.c.id))).one()
    connection.execute(
        sa.insert(changes),
        [
            {"decision_id": number, "fact": fact, "subject_id": subject, "old": old, "new": new}
            for fact, subject, old, new in rows
        ],
    )


def downgrade() -> None:
    with op.batch_alter_table("face_instances", schema=None) as batch_op:
        batch_op.drop_column("is_face")
    op.drop_table("person_differences")
    with op.batch_alter_table("persons", schema=None) as batch_op:
        batch_op.drop_index("uq_persons_name_key")
        batch_op.drop_constraint(op.f("fk_persons_merged_into_persons"), type_="foreignkey")
        for name in ("gone", "merged_into", "hidden", "birth_date", "cover_face_id"):
            batch_op.drop_column(name)
        batch_op.create_unique_constraint(op.f("uq_persons_name_key"), ["name_key"])
    op.drop_table("decision_changes")
    op.drop_table("decisions")
