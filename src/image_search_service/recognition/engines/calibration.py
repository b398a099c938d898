"""What belongs to an engine besides its models: the numbers at which something is decided, and their
origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from image_search_service.core.errors import DataIntegrityError, InvalidInputError
from image_search_service.core.types import BoolArray, EngineIdentity, FloatArray, JsonObject
from image_search_service.recognition.thresholds import Thresholds

Table = tuple[tuple[float, ...], tuple[float, ...]]
"""Measure and share kept; linear between the points, constant beyond them."""


@dataclass(frozen=True, slots=True)
class QualityTables:
    """What an engine loses.

    size: by the shorter side of the box, in pixels. sharpness: by the variance of the Laplacian ÷ variance of
    the chip (a face that was photographed small is as blurred as it was enlarged). pose: by the nose's
    distance from the face's middle line ÷ distance of the eyes; a profile has its nose where there is no
    second eye to speak of, at 1.3 or more.
    """

    size: Table
    sharpness: Table
    pose: Table


Sign = Literal["blank", "length"]


@dataclass(frozen=True, slots=True)
class RecognizabilityRule:
    """Which faces an engine cannot tell apart.

    sign, limit: ``blank``: faces are left out whose cosine with the blank embedding is ``limit`` or more;
    ``length``: whose embedding is shorter than ``limit`` before it is brought to unit length.
    Raises InvalidInputError for an unknown sign.
    """

    sign: Sign
    limit: float

    def __post_init__(self) -> None:
        if self.sign not in get_args(Sign):
            raise InvalidInputError(f"There is no sign {self.sign!r}; there are {', '.join(get_args(Sign))}.")

    def passes(self, embeddings: FloatArray, lengths: FloatArray, blank: FloatArray) -> BoolArray:
        """(n,) bool. embeddings: (n, d) of unit length; lengths: (n,) before that; blank: (d,)."""
        if self.sign == "blank":
            return np.asarray(embeddings @ blank < self.limit)
        return np.asarray(lengths >= self.limit)


@dataclass(frozen=True, slots=True)
class Record:
    """How constants were measured.

    command: what prints them. photos: what they were measured on. figures: what the command printed, by name;
    a constant that is one number has its own name here, with its value.
    """

    command: str
    photos: str
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Every number that depends on an engine.

    thresholds: see ``Thresholds``. recognizability: the rule for faces that cannot be told apart; None: only
    faces that the photo's edge cuts off are left out. quality: how much similarity a bad picture costs; None
    where nobody measured it: then the tables of ``onnx`` put faces in order, and nothing else depends on it.
    records: how ``thresholds``, ``recognizability``, ``quality`` and ``tilt`` (the second look of
    ``engines/tilt.py``) were measured, by their names; without a record of ``thresholds`` they are
    estimated. source: where estimated thresholds come from.
    """

    thresholds: Thresholds
    recognizability: RecognizabilityRule | None = None
    quality: QualityTables | None = None
    records: Mapping[str, Record] = field(default_factory=dict)
    source: str = ""

    @property
    def is_measured(self) -> bool:
        """Whether the thresholds were measured with this engine, not taken from elsewhere."""
        return "thresholds" in self.records


def to_json(calibration: Calibration, engine: EngineIdentity) -> JsonObject:
    """What ``image-search calibrate`` stores with a library; quality tables are not measured by it."""
    rule = calibration.recognizability
    return {
        "engine": engine.checksum,
        "thresholds": asdict(calibration.thresholds),
        "recognizability": None if rule is None else asdict(rule),
        "records": {
            name: {"command": record.command, "photos": record.photos, "figures": dict(record.figures)}
            for name, record in calibration.records.items()
        },
    }


def from_json(document: Mapping[str, Any], engine: EngineIdentity, own: Calibration) -> Calibration:
    """The calibration that ``to_json`` wrote, with the engine's ``own`` tables of quality; or
    ``own`` if it was measured with another engine. Raises DataIntegrityError if it is none.
    """
    try:
        if document["engine"] != engine.checksum:
            return own
        rule = document["recognizability"]
        return Calibration(
            Thresholds(**document["thresholds"]),
            None if rule is None else RecognizabilityRule(**rule),
            own.quality,
            {name: Record(**record) for name, record in document["records"].items()},
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise DataIntegrityError(
            "The calibration that is stored with the library cannot be read.",
            hint="Measure it again: image-search calibrate FOLDER.",
        ) from error
