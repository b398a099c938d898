"""What ``image-search index`` prints, whoever has indexed: it is made from the JSON document alone."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from image_search_service.cli.output import table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from image_search_service.core.types import JsonObject

SHOWN_FAILURES = 20
"""Failures named in the table; ``--json`` has them all."""


def index_tables(done: JsonObject) -> list[RenderableType]:
    """done: ``IndexResult.to_json``."""
    rate = f" ({done['photos_per_second']:,.0f} photos a second)" if done["photos_new"] else ""
    ignored, failed = done["files_ignored"], done["photos_failed"]
    rows: list[tuple[str, int, str]] = [
        ("Files seen", done["photos_seen"], ""),
        ("  new", done["photos_new"], f"{done['seconds']:,.1f} s{rate}"),
        ("  unchanged", done["photos_unchanged"], ""),
        ("  moved or copied", done["photos_moved"], "known by their content"),
        ("  failed", failed, "named below" if failed else ""),
        *_waiting_rows(done),
        *_missing_rows(done),
        ("Skipped", ignored, "no photos by their name" if ignored else ""),
        *_name_rows(done),
        ("Photos", done["photos"], f"{done['photos_with_faces']:,} of them show faces"),
        ("Faces", done["faces"], f"engine {done['engine']}"),
        ("  named", done["named_faces"], f"{done['persons']:,} people"),
        ("  grouped", done["clustered_faces"], f"{done['clusters']:,} groups"),
        ("  alone", done["noise_faces"], "like no other face, or not to be told apart"),
    ]
    shown: list[RenderableType] = [table(None, ("", "", ""), rows)]
    if done["failures"]:
        shown += ["", _failures(done["failures"])]
    if done["clusters"]:
        shown += [
            "",
            "Next: `image-search people` lists the groups, `image-search name GROUP NAME` names one.",
        ]
    return shown


def _waiting_rows(done: JsonObject) -> list[tuple[str, int, str]]:
    """What could not be read for a reason that may pass; nothing where all could be."""
    if not done["photos_waiting"]:
        return []
    reasons = ", ".join(f"{count:,} × {reason}" for reason, count in done["waiting_reasons"].items())
    return [("  waiting", done["photos_waiting"], f"the next run tries again: {reasons}")]


def _missing_rows(done: JsonObject) -> list[tuple[str, int, str]]:
    """Files that are not there any more; photos that are nowhere; folders that are away."""
    missing, away = done["photos_missing"], done["folders_away"]
    rows = [("Missing", missing, "were here before, kept" if missing else "")]
    if done["files_excluded"]:
        rows.append(("Excluded", done["files_excluded"], "left out as `image-search roots` says, kept"))
    if away:
        rows.append(("Away", len(away), f"not there: {', '.join(away)}"))
    if done["photos_missing_in_all"]:
        left_out = "image-search forget leaves out what was deleted"
        rows.append(("Photos missing", done["photos_missing_in_all"], left_out))
    return rows


def _name_rows(done: JsonObject) -> list[tuple[str, int, str]]:
    """What became of names whose photos were changed; nothing where none was."""
    rows = [
        ("Names kept", done["names_kept"], "on the same faces of changed photos"),
        ("Names lost", done["names_lost"], "their faces were not found: image-search conflicts"),
    ]
    return [row for row in rows if row[1]]


def _failures(failures: list[JsonObject]) -> RenderableType:
    reasons = Counter(item["reason"] for item in failures)
    rows = [(item["path"], item["reason"]) for item in failures[:SHOWN_FAILURES]]
    title = f"Not read: {len(failures):,}"
    if len(failures) > SHOWN_FAILURES:
        most = ", ".join(f"{count:,} × {reason}" for reason, count in reasons.most_common(3))
        title += f" (the first {SHOWN_FAILURES}; most often {most})"
    return table(title, ("File", "Reason"), rows)
