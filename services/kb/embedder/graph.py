"""The packed weights as an ONNX graph of the encoder, for ONNX Runtime on a CPU.

Weights have 8 bits. A matrix keeps a scale for each of its outputs, and ONNX Runtime quantises the
other factor, a whole text, by one scale: quickest, and near enough where all columns' values are of
one size. Before the wide product they are not: some columns of that layer norm are four times as
large as most, so they are divided by what its own weights say, and the matrix's are multiplied
(SmoothQuant, https://arxiv.org/abs/2211.10438, without its calibration). After the activation
single values lie far apart: that product keeps a scale for 128 weights, and the other factor is
quantised in blocks, too. With all products done so vectors are hardly nearer to float32's, for half
as much time again.
Attention and normalisation are ONNX Runtime's own fused operators:
https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
The token table is not in the graph: it takes the sums of embeddings, texts × tokens × hidden.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from services.kb.embedder.weights import FloatArray, PackedWeights

EMBEDDINGS, MASK = "embeddings", "mask"

_BLOCK = 128
_BITS = 8
_ZERO = 128
_MOST = 127
# Columns up to so many times the median are left as they are.
_EVEN = 1.15
# int8 products with int32 sums, the fastest that ONNX Runtime has for these matrices.
_ACCURACY_LEVEL = 4
_OPSET, _IR_VERSION = 17, 9
_OWN = "com.microsoft"


def write_graph(weights: PackedWeights, path: Path, *, all_in_blocks: bool) -> None:
    """Writes the graph: inputs `embeddings` (float32) and `mask` (int32, 1 for a token); the output
    is the last layer's, texts × tokens × hidden."""
    import onnx
    from onnx import TensorProto, helper

    builder = _Builder(weights, all_in_blocks)
    last = builder.encoder()
    hidden = weights.shape.hidden
    shape: list[str | int | None] = ["texts", "tokens", hidden]
    graph = helper.make_graph(
        builder.nodes,
        "encoder",
        [
            helper.make_tensor_value_info(EMBEDDINGS, TensorProto.FLOAT, shape),
            helper.make_tensor_value_info(MASK, TensorProto.INT32, shape[:2]),
        ],
        [helper.make_tensor_value_info(last, TensorProto.FLOAT, shape)],
        builder.constants,
    )
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_OWN, 1)]
    onnx.save(
        helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION),
        str(path),
    )


@dataclass
class _Builder:
    """Collects nodes and constants; each method returns the name of what it computes."""

    weights: PackedWeights
    all_in_blocks: bool
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def encoder(self) -> str:
        value = self._node(
            "LayerNormalization",
            [EMBEDDINGS, self._plain("emb.ln.w"), self._plain("emb.ln.b")],
            "embedded",
            domain="",
            epsilon=self.weights.shape.layer_norm_epsilon,
        )
        for layer in range(self.weights.shape.layers):
            value = self._layer(f"l{layer}", value)
        return value

    def _layer(self, name: str, value: str) -> str:
        shape = self.weights.shape
        heads = [self._product(value, f"{name}.{part}", shape.hidden) for part in "qkv"]
        biases = [self.weights.plain(f"{name}.{part}.b") for part in "qkv"]
        bias = self._constant(f"{name}.qkv.b", np.concatenate(biases))
        attended = self._node(
            "MultiHeadAttention",
            [*heads, bias, MASK],
            f"{name}.attended",
            num_heads=shape.heads,
        )
        attended = self._product(attended, f"{name}.ao", shape.hidden)
        value = self._added(attended, value, f"{name}.ao.b", f"{name}.aln")
        wide = self._evened_product(value, f"{name}.aln", f"{name}.fi", shape.hidden)
        wide = self._node("BiasGelu", [wide, self._plain(f"{name}.fi.b")], f"{name}.wide")
        narrow = self._product_in_blocks(wide, f"{name}.fo", shape.feed_forward)
        return self._added(narrow, value, f"{name}.fo.b", f"{name}.oln")

    def _added(self, value: str, before: str, bias: str, norm: str) -> str:
        inputs = [value, before, self._plain(f"{norm}.w"), self._plain(f"{norm}.b")]
        return self._node(
            "SkipLayerNormalization",
            [*inputs, self._plain(bias)],
            f"{norm}.out",
            epsilon=self.weights.shape.layer_norm_epsilon,
        )

    def _evened_product(self, value: str, norm: str, name: str, columns: int) -> str:
        """Of what comes out of a layer norm, with columns of one size."""
        if self.all_in_blocks:
            return self._product(value, name, columns)
        sizes = 3 * np.abs(self.weights.plain(f"{norm}.w")) + np.abs(
            self.weights.plain(f"{norm}.b")
        )
        times = np.maximum(1, sizes / (_EVEN * np.median(sizes))).astype(np.float32)
        shares = self._constant(f"{name}.shares", 1 / times)
        evened = self._node("Mul", [value, shares], f"{name}.evened", domain="")
        return self._product(evened, name, columns, times)

    def _product(self, value: str, name: str, columns: int, times: FloatArray | None = None) -> str:
        """`times`: what the matrix's columns are multiplied by."""
        if self.all_in_blocks:
            return self._product_in_blocks(value, name, columns)
        matrix = np.concatenate(list(self.weights.quantised(f"{name}.w", columns)))
        values, scales = _by_output(matrix if times is None else matrix * times)
        inputs = [
            value,
            self._constant(f"{name}.w", values),
            self._constant(f"{name}.scales", scales),
        ]
        return self._node("DynamicQuantizeMatMul", inputs, f"{name}.product")

    def _product_in_blocks(self, value: str, name: str, columns: int) -> str:
        matrix = np.concatenate(list(self.weights.quantised(f"{name}.w", columns)))
        values, scales = _in_blocks(matrix)
        inputs = [
            value,
            self._constant(f"{name}.w", values),
            self._constant(f"{name}.scales", scales),
        ]
        return self._node(
            "MatMulNBits",
            inputs,
            f"{name}.product",
            K=columns,
            N=len(matrix),
            bits=_BITS,
            block_size=_BLOCK,
            accuracy_level=_ACCURACY_LEVEL,
        )

    def _plain(self, name: str) -> str:
        return self._constant(name, self.weights.plain(name))

    def _constant(self, name: str, values: npt.NDArray[Any]) -> str:
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def _node(
        self, kind: str, inputs: list[str], output: str, *, domain: str = _OWN, **how: Any
    ) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **how))
        return output


def _by_output(matrix: FloatArray) -> tuple[npt.NDArray[np.int8], FloatArray]:
    """(values, columns × rows as ONNX multiplies them; scales, one for each row)."""
    scales = (np.abs(matrix).max(axis=1) / _MOST).astype(np.float32)
    scales[scales == 0] = 1.0
    values = np.rint(matrix / scales[:, None]).astype(np.int8)
    return np.ascontiguousarray(values.T), scales


def _in_blocks(matrix: FloatArray) -> tuple[npt.NDArray[np.uint8], FloatArray]:
    """(values, rows × blocks × 128; scales, one for each block)."""
    blocks = matrix.reshape(len(matrix), -1, _BLOCK)
    scales = np.abs(blocks).max(axis=-1) / (_ZERO - 1)
    scales[scales == 0] = 1
    values = np.rint(blocks / scales[..., None]) + _ZERO
    return values.astype(np.uint8), scales.astype(np.float32).reshape(-1)
