"""Tiny ONNX models that stand in for face recognisers, and somebody who watches downloads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from image_search_service.core.types import Progress

OPSET, FORMAT = 13, 8


@contextmanager
def unseen(what: str, unit: str) -> Iterator[Progress]:
    """Allows downloads and shows them to nobody."""
    yield lambda _done, _total: None


def save_recognizer(
    path: Path,
    *,
    dimension: int = 16,
    size: int | str = 112,
    batch: int | str = "n",
    channels: int = 3,
    seed: int = 0,
    broken_batch: bool = False,
) -> Path:
    """A linear recogniser: 28 × 28 means of the chip times a random matrix.

    batch: a number, or a name for a dynamic batch; with ``broken_batch`` it is called dynamic, but two
    pictures at once are refused.
    """
    side = size if isinstance(size, int) else 112
    cells = channels * 28 * 28
    weights = np.random.default_rng(seed).standard_normal((cells, dimension)).astype(np.float32)
    shape = np.array([1 if broken_batch else -1, cells], np.int64)
    nodes = [
        helper.make_node(
            "AveragePool", ["picture"], ["means"], kernel_shape=[side // 28] * 2, strides=[side // 28] * 2
        ),
        helper.make_node("Reshape", ["means", "shape"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["face"]),
    ]
    constants = [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(shape, "shape")]
    inputs = [_tensor("picture", batch, channels, size, size)]
    return _save(path, nodes, inputs, [_tensor("face", batch, dimension)], constants)


def save_two_inputs(path: Path) -> Path:
    """A model that adds two pictures: no recogniser."""
    nodes = [helper.make_node("Add", ["a", "b"], ["sum"])]
    inputs = [_tensor("a", 1, 3, 112, 112), _tensor("b", 1, 3, 112, 112)]
    return _save(path, nodes, inputs, [_tensor("sum", 1, 3, 112, 112)], [])


def save_filter(path: Path) -> Path:
    """A model that gives a picture for a picture: no recogniser."""
    nodes = [helper.make_node("Relu", ["picture"], ["positive"])]
    return _save(path, nodes, [_tensor("picture", 1, 3, 112, 112)], [_tensor("positive", 1, 3, 112, 112)], [])


def _tensor(name: str, *shape: int | str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _save(
    path: Path,
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
    constants: list[onnx.TensorProto],
) -> Path:
    graph = helper.make_graph(nodes, path.stem, inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=FORMAT)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path
