"""ONNX Runtime as the engines use it."""

from __future__ import annotations

from pathlib import Path

import onnxruntime

MAX_BATCH = 32
"""Chips in one call, so that memory does not depend on how many faces a photo shows."""


def open_session(model: Path | bytes) -> onnxruntime.InferenceSession:
    """A session on one thread, for the CPU; it may be run from several threads at once."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # photos are read by one thread per core already
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors: older exports give pages of harmless warnings
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
