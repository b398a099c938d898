"""Rows as JSON: what comes back is what it was, in every kind of column."""

from __future__ import annotations

import json
import os
import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from image_search_service.core.errors import ConflictError, DataIntegrityError
from image_search_service.db.migrate import head_revision
from image_search_service.db.models import (
    AccessToken,
    AssetPath,
    Base,
    ImageAsset,
    IndexRun,
    LibraryRow,
    PersonRow,
)
from image_search_service.db.portable import (
    TableForm,
    finish_schema,
    holds_rows,
    insert_json_rows,
    rebuilding,
    rows_of,
    table_forms,
)
from tests.support.databases import DATABASES, open_database


def test_every_table_has_a_form() -> None:
    """Every column of every table can be written and read; people's tokens, turns and marks stay."""
    tables = {table.name: set(table.columns.keys()) for table in Base.metadata.sorted_tables}
    forms = {form.name: set(form.columns) for form in table_forms()}
    assert forms == {name: columns for name, columns in tables.items() if name in forms}
    assert tables.keys() - forms.keys() == {"access_tokens", "store_marks", "turns"}


def test_no_archive_brings_a_token(tmp_path: Path) -> None:
    """Whoever made a backup cannot let themselves in by it."""
    forged = TableForm("access_tokens", {"digest": "bytes", "name": "text"})
    with open_database("sqlite", tmp_path) as database, database.write() as session:
        with pytest.raises(ValueError, match="access_tokens"):
            insert_json_rows(session, forged, [["00" * 32, "Eve"]])
        assert not session.scalars(select(AccessToken)).all()


@pytest.mark.parametrize("name", DATABASES)
def test_rows_come_back_through_json(name: str, tmp_path: Path) -> None:
    """Moments keep their microseconds, paths their bytes, numbers their last bit, JSON its shape."""
    asset = uuid.uuid4()
    with open_database(name, tmp_path) as database:
        with database.write() as session:
            assert not holds_rows(session)
            session.add(
                LibraryRow(
                    id=1,
                    engine_name="é\x7f\u2028",
                    engine_checksum="0",
                    dimension=8,
                    engine_files={"a": [1, 0.1, None, "ü"]},
                    grouping=None,
                    created_at=datetime(2026, 1, 1, 1, 2, 3, 4, timezone(timedelta(hours=2))),
                )
            )
            session.add(ImageAsset(id=asset, content_hash="0", taken_at=datetime(2001, 2, 3, 4, 5)))  # noqa: DTZ001 - as cameras write it
            session.add(IndexRun(id=7))
            first, last = uuid.UUID(int=1), uuid.UUID(int=2)
            session.add(PersonRow(id=last, name="B", name_key="b", birth_date=date(1815, 12, 10)))
            session.flush()
            session.add(PersonRow(id=first, name="A", name_key="a", deleted=True, merged_into=last))
            session.flush()
            path = Path(os.fsdecode(b"/photos/\xff\n.jpg"))
            session.add(AssetPath(id=9, path=path, asset_id=asset, size=2**62, modified_ns=-1, seen_in_run=7))
        with database.read() as session:
            before = everything(session)
            written = [(form, json.dumps(list(rows_of(session, form)))) for form in table_forms()]
        with database.write() as session:
            for table in reversed(Base.metadata.sorted_tables):
                session.execute(table.delete())
        with rebuilding(database, head_revision()) as session:
            for form, rows in written:
                for row in json.loads(rows):
                    insert_json_rows(session, form, [row])
            finish_schema(session)
        with database.read() as session:
            assert everything(session) == before
            assert holds_rows(session)
            created = session.scalars(select(LibraryRow.created_at)).one()
            assert created == datetime(2025, 12, 31, 23, 2, 3, 4, UTC)
        with database.write() as session:
            session.add(IndexRun())
            session.flush()
            assert max(session.scalars(select(IndexRun.id))) == 8


@pytest.mark.depth
def test_postgresql_knows_how_many_rows_there_are(tmp_path: Path) -> None:
    """After a restore its planner goes by the rows that came, whether or not autovacuum is on."""
    form = next(form for form in table_forms() if form.name == "index_runs")
    with open_database("postgresql", tmp_path) as database:
        with rebuilding(database, head_revision()) as session:
            for number in range(7):
                session.execute(Base.metadata.tables[form.name].insert().values(id=number + 1))
            finish_schema(session)
        with database.read() as session:
            schema = session.scalar(text("SELECT current_schema()"))
            known = text("SELECT reltuples FROM pg_class WHERE oid = to_regclass(:table)")
            assert session.scalar(known, {"table": f"{schema}.{form.name}"}) == 7


def everything(session: Any) -> dict[str, list[Any]]:
    return {
        table.name: list(session.execute(select(table).order_by(*table.primary_key)))
        for table in Base.metadata.sorted_tables
    }


@pytest.mark.parametrize("name", DATABASES)
def test_rows_that_refer_to_nothing_are_refused(name: str, tmp_path: Path) -> None:
    """Then the database is as it was."""
    form = next(form for form in table_forms() if form.name == "persons")
    row = dict.fromkeys(form.columns) | {
        "id": str(uuid.uuid4()), "name": "A", "name_key": "a", "deleted": True, "hidden": False,
        "merged_into": str(uuid.uuid4()), "created_at": "2026-01-01T00:00:00+00:00",
    }  # fmt: skip
    with open_database(name, tmp_path) as database:
        with (
            pytest.raises((DataIntegrityError, ConflictError)),
            rebuilding(database, head_revision()) as session,
        ):
            insert_json_rows(session, form, [list(row.values())])
            finish_schema(session)
        with database.read() as session:
            assert not holds_rows(session)


def test_what_is_no_row_is_refused() -> None:
    """A row with too few values, or of another kind, is not guessed at."""
    form = TableForm("t", {"id": "uuid", "at": "moment"})
    for row in (["x", None], [str(uuid.uuid4())], [None, "yesterday"]):
        with pytest.raises(ValueError):
            form.decode(row)
    assert TableForm("t", {"a": "text", "b": "path"}).path_columns == [1]
