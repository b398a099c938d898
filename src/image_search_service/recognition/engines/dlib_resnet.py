"""dlib's face recognition network, run by ONNX Runtime.

dlib computes an embedding in 80 ms and lets no other Python thread run meanwhile; ONNX Runtime gives the
same numbers (they differ by 3e-7 at most) from the same weights in 6 ms, in as many threads as one likes.
The network is ``anet_type`` of dlib's ``dnn_face_recognition_ex.cpp``: a residual network of 29 convolutions
(He et al., CVPR 2016, made smaller), by Davis King.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from image_search_service.core.types import FloatArray

CHIP_SIZE = 150
DIMENSION = 128

_MEAN = (122.782, 117.001, 104.298)
_SCALE = 1 / 256
"""dlib's ``input_rgb_image``."""

_LEVELS = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))
"""Channels, residual blocks, and whether the first block halves the picture."""

_LAYER = re.compile(rb"con_4|affine_|fc_2")
_INTEGERS_BEFORE = {b"con_4": 0, b"affine_": 0, b"fc_2": 2}


def convert(path: Path) -> bytes:
    """The network in ``dlib_face_recognition_resnet_model_v1.dat`` as an ONNX model.

    ``chips`` (n, 3, 150, 150) float32 RGB 0 to 255 → ``embeddings`` (n, 128) float32, not normalised. For the
    one file of this name that there is: its checksum has to be checked before.
    """
    return _Builder(path.read_bytes()).model()


def _weights(content: bytes) -> Iterator[FloatArray]:
    """The parameters of each layer that has any, from the picture to the embedding.

    dlib writes a layer's kind, for the last one two numbers, and a tensor: a version, four dimensions, and
    float32 in little endian.
    """
    at = 0
    while layer := _LAYER.search(content, at):
        at = layer.end()
        for _ in range(_INTEGERS_BEFORE[layer.group()] + 1):
            _, at = _integer(content, at)
        count = 1
        for _ in range(4):
            dimension, at = _integer(content, at)
            count *= dimension
        yield np.frombuffer(content, "<f4", count, at)
        at += 4 * count


def _integer(content: bytes, at: int) -> tuple[int, int]:
    """dlib's packed integer: a byte that holds the number of bytes, then these, lowest first."""
    length = content[at] & 0x0F
    return int.from_bytes(content[at + 1 : at + 1 + length], "little"), at + 1 + length


def _halved(side: int, window: int) -> int:
    """What is left of a side after a window that moves by two without padding."""
    return (side - window) // 2 + 1


class _Builder:
    """Writes the nodes of the network one after the other, taking the weights as they come."""

    def __init__(self, content: bytes) -> None:
        self._weights = _weights(content)
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def model(self) -> bytes:
        x = self._node("Sub", "chips", self._constant(np.array(_MEAN, np.float32).reshape(1, 3, 1, 1)))
        x = self._node("Mul", x, self._constant(np.array(_SCALE, np.float32)))
        x = self._node("Relu", self._convolution(x, 3, 32, window=7, stride=2, padding=0))
        x = self._node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])
        x = self._levels(x, side=_halved(_halved(CHIP_SIZE, 7), 3))
        x = self._node("Flatten", self._node("GlobalAveragePool", x))
        last = next(self._weights).reshape(-1, DIMENSION)
        x = self._node("MatMul", x, self._constant(last))
        self._nodes.append(helper.make_node("Identity", [x], ["embeddings"]))
        return self._serialised()

    def _levels(self, x: str, side: int) -> str:
        channels = 32
        for wanted, blocks, halves in _LEVELS:
            for number in range(blocks):
                if halves and number == 0:
                    x, side = self._halving_block(x, channels, wanted, side)
                else:
                    x = self._block(x, channels, wanted)
                channels = wanted
        return x

    def _block(self, x: str, channels: int, wanted: int) -> str:
        y = self._two_convolutions(x, channels, wanted, stride=1, padding=1)
        return self._node("Relu", self._node("Add", y, x))

    def _halving_block(self, x: str, channels: int, wanted: int, side: int) -> tuple[str, int]:
        """Convolutions and average pooling may leave different sides: dlib fills up with zeros."""
        y = self._two_convolutions(x, channels, wanted, stride=2, padding=0)
        skip = self._node("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
        y_side, skip_side = _halved(side, 3), _halved(side, 2)
        side = max(y_side, skip_side)
        y = self._filled(y, 0, side - y_side)
        skip = self._filled(skip, wanted - channels, side - skip_side)
        return self._node("Relu", self._node("Add", y, skip)), side

    def _two_convolutions(self, x: str, channels: int, wanted: int, *, stride: int, padding: int) -> str:
        y = self._convolution(x, channels, wanted, window=3, stride=stride, padding=padding)
        return self._convolution(self._node("Relu", y), wanted, wanted, window=3, stride=1, padding=1)

    def _convolution(
        self, x: str, channels: int, wanted: int, *, window: int, stride: int, padding: int
    ) -> str:
        """A convolution with the affine layer that always follows it, which its weights can take in."""
        filters, bias = np.split(next(self._weights), [-wanted])
        gamma, beta = np.split(next(self._weights), 2)
        filters = filters.reshape(wanted, channels, window, window) * gamma.reshape(-1, 1, 1, 1)
        constants = self._constant(filters), self._constant(bias * gamma + beta)
        return self._node(
            "Conv",
            x,
            *constants,
            kernel_shape=[window, window],
            strides=[stride, stride],
            pads=[padding] * 4,
        )

    def _filled(self, x: str, channels: int, side: int) -> str:
        if channels == 0 and side == 0:
            return x
        return self._node("Pad", x, self._constant(np.array([0, 0, 0, 0, 0, channels, side, side], np.int64)))

    def _node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        output = f"{kind}{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def _constant(self, values: np.ndarray[tuple[int, ...], np.dtype[np.float32 | np.int64]]) -> str:
        name = f"constant{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def _serialised(self) -> bytes:
        def tensor(name: str, *shape: str | int) -> onnx.ValueInfoProto:
            return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)

        graph = helper.make_graph(
            self._nodes,
            "dlib face recognition",
            [tensor("chips", "n", 3, CHIP_SIZE, CHIP_SIZE)],
            [tensor("embeddings", "n", DIMENSION)],
            self._constants,
        )
        # Opset 13 and format 8 are older than any ONNX Runtime for Python 3.11.
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        content: bytes = model.SerializeToString()
        return content
