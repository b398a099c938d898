"""The face that stands for a group."""

from __future__ import annotations

import numpy as np

from image_search_service.recognition.clustering.representative import representatives


def test_representative_is_clear_and_typical() -> None:
    """Neither the sharpest stranger nor the most typical blur is chosen."""
    typical, odd = [1.0, 0.0], [0.0, 1.0]
    embeddings = np.array([typical, typical, odd, typical, odd], dtype=np.float32)
    labels = np.array([0, 0, 0, 0, 1])
    quality = np.array([0.1, 0.8, 1.0, 0.8, 0.0], dtype=np.float32)
    assert representatives(embeddings, labels, quality).tolist() == [1, 4]


def test_noise_has_no_representative() -> None:
    """Without clusters there is nothing to choose."""
    embeddings = np.ones((3, 2), dtype=np.float32)
    assert representatives(embeddings, np.full(3, -1), np.ones(3, dtype=np.float32)).tolist() == []
