"""Made-up embeddings against the measured engine that they imitate."""

from __future__ import annotations

import numpy as np
import pytest

from image_search_service.recognition.engines.calibrated import SFACE
from image_search_service.recognition.made_up import SFACE_SPREAD


def test_strangers_are_as_alike_as_the_engine_s() -> None:
    """Quantiles of pairs of different people are those that the engine's thresholds were read off."""
    faces = np.concatenate(list(SFACE_SPREAD.faces(np.random.default_rng(0), np.arange(2_000))))
    strangers = (faces @ faces.T)[np.triu_indices(len(faces), 1)]
    known = SFACE.thresholds
    found = np.quantile(strangers, [0.5, 1 - 1e-2, 1 - 1e-3])
    assert found == pytest.approx([known.baseline, known.suggest, known.same_person], abs=0.02)
    np.testing.assert_allclose(np.linalg.norm(faces, axis=1), 1, atol=1e-5)


def test_photos_of_one_person_are_alike() -> None:
    """Nearly all pairs of one person reach the similarity of one person, as the engine's do."""
    faces = np.concatenate(list(SFACE_SPREAD.faces(np.random.default_rng(0), np.repeat(np.arange(400), 4))))
    groups = faces.reshape(400, 4, -1)
    own = (groups @ groups.transpose(0, 2, 1))[:, *np.triu_indices(4, 1)]
    reached = np.mean(own >= SFACE.thresholds.same_person)
    assert reached == pytest.approx(0.9944, abs=0.006)
