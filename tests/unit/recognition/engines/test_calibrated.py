"""Every number that depends on an engine has a record of how it was measured."""

from __future__ import annotations

import importlib.util
from dataclasses import asdict, replace

import pytest

from image_search_service.cli.commands import PANELS
from image_search_service.core.errors import DataIntegrityError
from image_search_service.core.types import EngineIdentity, JsonObject
from image_search_service.recognition.engines import known_models as known, tilt
from image_search_service.recognition.engines.calibrated import (
    ESTIMATED,
    MEASURED,
    MOBILEFACENET,
    SFACE,
    UNKNOWN_ONNX,
    engine_calibration,
)
from image_search_service.recognition.engines.calibration import Calibration, Record, from_json, to_json
from image_search_service.recognition.engines.model_store import combined_checksum_of
from image_search_service.recognition.engines.synthetic import SyntheticEngine

ENGINES = MEASURED | {"synthetic": SyntheticEngine.calibration}
SFACE_ENGINE = EngineIdentity("opencv", "a" * 64, 128)


def unrecorded(calibration: Calibration) -> list[str]:
    """The constants without a record, or with one that has another value."""
    numbers = {"thresholds": asdict(calibration.thresholds)}
    if calibration.recognizability is not None:
        numbers["recognizability"] = {"limit": calibration.recognizability.limit}
    if calibration.quality is not None:
        numbers["quality"] = {}
    wrong = []
    for name, constants in numbers.items():
        record = calibration.records.get(name)
        if record is None or not (record.command and record.photos and record.figures):
            wrong.append(name)
        else:
            wrong += [f"{name}.{one}" for one, value in constants.items() if record.figures.get(one) != value]
    return wrong


@pytest.mark.parametrize("engine", ENGINES)
def test_every_constant_of_a_measured_engine_has_its_record(engine: str) -> None:
    """The record names the command and the photos, and has the very value that is used."""
    assert unrecorded(ENGINES[engine]) == []


@pytest.mark.parametrize(
    ("calibration", "wrong"),
    [
        (replace(SFACE, records={}), ["thresholds", "recognizability", "quality"]),
        (
            replace(SFACE, thresholds=replace(SFACE.thresholds, assign=0.5)),
            ["thresholds.assign"],
        ),
        (replace(SFACE, records={**SFACE.records, "quality": Record("", "", {})}), ["quality"]),
    ],
)
def test_a_constant_without_its_record_is_found(calibration: Calibration, wrong: list[str]) -> None:
    """The check above fails for a constant that was changed, or that nobody measured."""
    assert unrecorded(calibration) == wrong


@pytest.mark.parametrize("calibration", [SFACE, MOBILEFACENET], ids=["opencv", "onnx"])
def test_the_second_look_at_tilted_heads_was_measured_with_each_recognizer(calibration: Calibration) -> None:
    """Its record has the constants that are used, and shows that the look is worth it."""
    figures = calibration.records["tilt"].figures
    used = {"seen_tilt": tilt.SEEN_TILT, "understated": tilt.UNDERSTATED, "looks": tilt.LOOKS}
    assert {name: figures[name] for name in used} == used
    assert figures["kept at 30°, second look"] > figures["kept at 30°, first look only"]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_commands_of_the_records_exist(engine: str) -> None:
    """Who wants to measure again finds the program that the record names."""
    commands = {entry.name for panel in PANELS.values() for entry in panel}
    for record in ENGINES[engine].records.values():
        words = record.command.split()
        if words[:2] == ["python", "-m"]:
            assert importlib.util.find_spec(words[2]) is not None
        elif words[0] == "image-search":
            assert words[1] in commands
        else:
            assert words[0] == "pytest"


@pytest.mark.parametrize("engine", ESTIMATED)
def test_what_is_only_estimated_uses_nothing_else(engine: str) -> None:
    """Estimated thresholds name their source; the rule for faces and the tables of quality are off."""
    calibration = ESTIMATED[engine]
    assert not calibration.is_measured
    assert calibration.source
    assert calibration.recognizability is None
    assert calibration.quality is None


@pytest.mark.parametrize("calibration", [*ENGINES.values(), *ESTIMATED.values()])
def test_thresholds_are_in_order(calibration: Calibration) -> None:
    """Suggesting takes less than passing as the same person, and assigning takes most."""
    found = calibration.thresholds
    assert found.baseline < found.suggest < found.same_person < found.neighbour <= found.assign < 1


def test_a_recognizer_that_nobody_measured_is_told_from_the_one_that_was() -> None:
    """The engine ``onnx`` has MobileFaceNet's numbers only with MobileFaceNet's file."""
    measured = combined_checksum_of([known.YUNET.sha256, known.MOBILEFACENET_SHA256])
    assert engine_calibration(EngineIdentity("onnx", measured, 128)) is MOBILEFACENET
    assert engine_calibration(EngineIdentity("onnx", "f" * 64, 512)) is UNKNOWN_ONNX
    assert not engine_calibration(EngineIdentity("insightface:buffalo_s", "f" * 64, 512)).is_measured


def test_a_stored_calibration_comes_back() -> None:
    """What is stored with a library is read as it was, but not for another engine."""
    stored = to_json(SFACE, SFACE_ENGINE)
    assert from_json(stored, SFACE_ENGINE, SFACE) == SFACE
    other = replace(SFACE_ENGINE, checksum="b" * 64)
    assert from_json(stored, other, UNKNOWN_ONNX) is UNKNOWN_ONNX


@pytest.mark.parametrize("damage", [{"thresholds": None}, {"records": None}, {"thresholds": {"x": 1}}])
def test_a_damaged_calibration_is_an_error(damage: JsonObject) -> None:
    """Rather than numbers that nobody measured."""
    with pytest.raises(DataIntegrityError, match="calibrat"):
        from_json(to_json(SFACE, SFACE_ENGINE) | damage, SFACE_ENGINE, SFACE)
