"""ONNX Runtime as the engines use it."""

from __future__ import annotations

from pathlib import Path

import onnxruntime

MAX_BATCH = 32
"""Chips in one call, so that memory does not depend on how many faces a photo shows."""
PROVIDERS = ["CPUExecutionProvider"]


def open_session(model: Path | bytes) -> onnxruntime.InferenceSession:
    """A session on one thread; it may be run from several threads at once."""
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, session_options(), providers=PROVIDERS)


def session_options() -> onnxruntime.SessionOptions:
    """One thread, as photos are read by one thread per core already, and no word but errors."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # older exports give pages of harmless warnings
    return options
