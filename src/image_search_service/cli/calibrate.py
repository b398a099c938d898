"""``image-search calibrate``."""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import RenderableType

from image_search_service.cli.context import (
    DebugOption,
    DetectorOption,
    EngineOption,
    JsonOption,
    LibraryOption,
    RecognizerOption,
    real_path,
)
from image_search_service.cli.library_command import library_command
from image_search_service.cli.output import table
from image_search_service.core.types import JsonObject

if TYPE_CHECKING:
    from image_search_service.services.evaluation.calibration import Measurement


def calibrate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder with one folder for each person.")],
    engine: EngineOption = None,
    recognizer: RecognizerOption = None,
    detector: DetectorOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Measure and show, store nothing.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Threads that read photos.")] = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Measure the engine's thresholds on known people.

    The library uses them from then on. Of each photo the face nearest the middle counts as the person after
    whom the folder is named. Faces are grouped anew by the next `image-search index` or `cluster`.
    """
    from image_search_service.services.evaluation.calibration import measure

    with tempfile.TemporaryDirectory(prefix="image-search-calibrate-") if dry_run else nullcontext() as other:
        settings = {
            "library": other or library,
            "engine": engine,
            "recognizer": recognizer,
            "detector": detector,
            "workers": workers,
        }
        with library_command(as_json=as_json, debug=debug, **settings) as (run, opened):
            name = opened.engine_binding.bind().name
            with run.out.progress("Reading photos", "photos") as progress:
                measurement = measure(
                    opened.stores.engine,
                    real_path(folder),
                    command=f"image-search calibrate {folder.name} --engine {name}",
                    workers=run.settings.workers,
                    max_pixels=opened.stores.max_pixels,
                    progress=progress,
                )
            if not dry_run:
                opened.engine_binding.store_calibration(measurement.calibration)
            document = _document(measurement, name, stored=not dry_run)
            run.out.result(document, *_tables(measurement, stored=not dry_run))


def _document(measurement: Measurement, engine: str, *, stored: bool) -> JsonObject:
    rule = measurement.rule
    return {
        "engine": engine,
        "photos": measurement.photos,
        "faces": measurement.faces,
        "people": measurement.people,
        "thresholds": dict(measurement.calibration.records["thresholds"].figures),
        "recognizability": None
        if rule is None
        else {
            "sign": rule.rule.sign,
            "limit": rule.rule.limit,
            "ordinary_left_out": rule.ordinary_left_out,
            "blurred_left_out": rule.blurred_left_out,
        },
        "stored": stored,
    }


def _tables(measurement: Measurement, *, stored: bool) -> list[RenderableType]:
    figures = measurement.calibration.records["thresholds"].figures
    limits = [
        (name, f"{figures[name]:.3f}", f"{measurement.thresholds.reached[name]:.2%}")
        for name in ("suggest", "same_person", "neighbour", "assign")
    ]
    limits.append(("baseline", f"{figures['baseline']:.3f}", ""))
    thresholds = measurement.thresholds
    facts = [
        ("Faces", f"{measurement.faces:,} in {measurement.photos:,} photos, {measurement.people:,} people"),
        ("Pairs", f"{thresholds.genuine:,} of one person, {thresholds.impostors:,} of two"),
        ("Left out", _rule_in_words(measurement)),
        ("Stored", "with the library" if stored else "nothing"),
    ]
    shown = table(None, ("Threshold", "Similarity", "Pairs of one person that reach it"), limits)
    return [shown, "", table(None, ("", ""), facts)]


def _rule_in_words(measurement: Measurement) -> str:
    """Which faces count as ones that cannot be told apart, and how many that leaves out."""
    measured = measurement.rule
    if measured is None:
        return "no rule is worth having; only faces that are cut off are left out"
    what = "like a picture of nothing by" if measured.rule.sign == "blank" else "of a length below"
    return (
        f"{what} {measured.rule.limit:.3f}: {measured.ordinary_left_out} of {measurement.faces:,} ordinary "
        f"faces, {measured.blurred_left_out:.0%} of blurred ones"
    )
