"""The packed weights as an ONNX graph of the encoder, for ONNX Runtime on a CPU.

Weights have 8 bits. A matrix keeps a scale for each of its outputs, and ONNX Runtime quantises the
other factor, a whole text, by one scale: quickest, and near enough where all values are of one
size. After a layer norm they are not: a few columns are many times as large as most, so they are
divided by what the norms' own weights say, and the matrix's are multiplied (SmoothQuant,
https://arxiv.org/abs/2211.10438, without its calibration); before the wide product single tokens
are as large, and rows are divided, too. After the activation single values lie far apart: that
product keeps a scale for 256 weights, and the other factor is quantised in blocks, too.
Attention is ONNX Runtime's own fused operator. Its operator for a sum and the norm of it is not
used: it computes one number at a time, and takes three times as long as the two one by one.
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

EMBEDDINGS = "embeddings"

_BLOCKS = (256, 128)  # the larger, the quicker; a row is whole blocks
_BITS = 8
_ZERO = 128
_MOST = 127
# Values that come out of a norm are taken to lie within so many standard deviations.
_DEVIATIONS = 3
# Columns up to so many times the median are left as they are.
_EVEN = 1.15
# int8 products with int32 sums, the fastest that ONNX Runtime has for these matrices.
_ACCURACY_LEVEL = 4
_OPSET, _IR_VERSION = 17, 9
_OWN = "com.microsoft"


def write_graph(weights: PackedWeights, path: Path, *, all_in_blocks: bool) -> None:
    """Writes the graph: the input `embeddings` and the output, the last layer's, are float32,
    texts × tokens × hidden. Texts of one call have equally many tokens: nothing is masked."""
    import onnx
    from onnx import TensorProto, helper

    builder = _Builder(weights, all_in_blocks)
    last = builder.encoder()
    hidden = weights.shape.hidden
    shape: list[str | int | None] = ["texts", "tokens", hidden]
    graph = helper.make_graph(
        builder.nodes,
        "encoder",
        [helper.make_tensor_value_info(EMBEDDINGS, TensorProto.FLOAT, shape)],
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
        value = self._normalised(EMBEDDINGS, "emb.ln", "embedded")
        sizes = self._sizes("emb.ln")
        for layer in range(self.weights.shape.layers):
            value = self._layer(f"l{layer}", value, _times(sizes))
            sizes = self._sizes_after(f"l{layer}")
        return value

    def _layer(self, name: str, value: str, times: FloatArray) -> str:
        """`times`: what the value's columns are divided by to be of one size."""
        attended = self._attended(value, name, times)
        attended = self._product(attended, f"{name}.ao", f"{name}.ao.b")
        value = self._added(attended, value, f"{name}.aln")
        wide = self._widened(value, name)
        wide = self._node("BiasGelu", [wide, self._plain(f"{name}.fi.b")], f"{name}.wide")
        narrow = self._product_in_blocks(wide, f"{name}.fo", f"{name}.fo.b")
        return self._added(narrow, value, f"{name}.oln")

    def _attended(self, value: str, name: str, times: FloatArray) -> str:
        """Every token attends to all: a text is alone, and there is nothing to be masked."""
        value = self._evened(value, f"{name}.qkv", times)
        heads = [self._product(value, f"{name}.{part}", times=times) for part in "qkv"]
        biases = [self.weights.plain(f"{name}.{part}.b") for part in "qkv"]
        bias = self._constant(f"{name}.qkv.b", np.concatenate(biases))
        return self._node(
            "MultiHeadAttention",
            [*heads, bias],
            f"{name}.attended",
            num_heads=self.weights.shape.heads,
        )

    def _widened(self, value: str, name: str) -> str:
        """Columns are evened, and rows, too: here single tokens are ten times as large as most."""
        times = _times(self._sizes(f"{name}.aln"))
        value = self._evened(value, f"{name}.fi", times)
        if self.all_in_blocks:
            return self._product(value, f"{name}.fi", times=times)
        size = self._node("Abs", [value], f"{name}.size", domain="")
        largest = self._node("ReduceMax", [size], f"{name}.largest", domain="", axes=[-1])
        value = self._node("Div", [value, largest], f"{name}.rows", domain="")
        product = self._product(value, f"{name}.fi", times=times)
        return self._node("Mul", [product, largest], f"{name}.widened", domain="")

    def _evened(self, value: str, name: str, times: FloatArray) -> str:
        shares = self._constant(f"{name}.shares", 1 / times)
        return self._node("Mul", [value, shares], f"{name}.evened", domain="")

    def _sizes(self, norm: str) -> FloatArray:
        """How large the columns are that come out of a layer norm, by its weights."""
        weights, biases = (np.abs(self.weights.plain(f"{norm}.{part}")) for part in "wb")
        return _DEVIATIONS * weights + biases

    def _sizes_after(self, layer: str) -> FloatArray:
        """The same of a layer's second norm, whose own weights are all alike: what is large after
        the first one is carried past the products, in this layer and in those before it."""
        carried = self._sizes(f"{layer}.aln") * np.abs(self.weights.plain(f"{layer}.oln.w"))
        return carried**2

    def _added(self, value: str, before: str, norm: str) -> str:
        added = self._node("Add", [value, before], f"{norm}.sum", domain="")
        return self._normalised(added, norm, f"{norm}.out")

    def _normalised(self, value: str, norm: str, output: str) -> str:
        return self._node(
            "LayerNormalization",
            [value, self._plain(f"{norm}.w"), self._plain(f"{norm}.b")],
            output,
            domain="",
            epsilon=self.weights.shape.layer_norm_epsilon,
        )

    def _product(
        self, value: str, name: str, bias: str = "", times: FloatArray | None = None
    ) -> str:
        """`times`: what the matrix's columns are multiplied by."""
        if self.all_in_blocks:
            return self._product_in_blocks(value, name, bias, times)
        values, scales = _by_output(self._matrix(name, times))
        inputs = [
            value,
            self._constant(f"{name}.w", values),
            self._constant(f"{name}.scales", scales),
        ]
        inputs += ["", self._plain(bias)] if bias else []
        return self._node("DynamicQuantizeMatMul", inputs, f"{name}.product")

    def _product_in_blocks(
        self, value: str, name: str, bias: str = "", times: FloatArray | None = None
    ) -> str:
        matrix = self._matrix(name, times)
        block = next(size for size in _BLOCKS if matrix.shape[1] % size == 0)
        values, scales = _in_blocks(matrix, block)
        inputs = [
            value,
            self._constant(f"{name}.w", values),
            self._constant(f"{name}.scales", scales),
        ]
        inputs += ["", "", self._plain(bias)] if bias else []
        return self._node(
            "MatMulNBits",
            inputs,
            f"{name}.product",
            K=matrix.shape[1],
            N=len(matrix),
            bits=_BITS,
            block_size=block,
            accuracy_level=_ACCURACY_LEVEL,
        )

    def _matrix(self, name: str, times: FloatArray | None) -> FloatArray:
        """outputs × inputs."""
        shape = self.weights.shape
        columns = shape.feed_forward if name.endswith(".fo") else shape.hidden
        matrix = np.concatenate(list(self.weights.quantised(f"{name}.w", columns)))
        return matrix if times is None else matrix * times

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


def _times(sizes: FloatArray) -> FloatArray:
    """What columns of these sizes are divided by to be of one size: 1 for most of them."""
    times: FloatArray = np.maximum(1, sizes / (_EVEN * np.median(sizes))).astype(np.float32)
    return times


def _by_output(matrix: FloatArray) -> tuple[npt.NDArray[np.int8], FloatArray]:
    """(values, columns × rows as ONNX multiplies them; scales, one for each row)."""
    scales = (np.abs(matrix).max(axis=1) / _MOST).astype(np.float32)
    scales[scales == 0] = 1.0
    values = np.rint(matrix / scales[:, None]).astype(np.int8)
    return np.ascontiguousarray(values.T), scales


def _in_blocks(matrix: FloatArray, size: int) -> tuple[npt.NDArray[np.uint8], FloatArray]:
    """(values, rows × blocks × size; scales, one for each block)."""
    blocks = matrix.reshape(len(matrix), -1, size)
    scales = np.abs(blocks).max(axis=-1) / (_ZERO - 1)
    scales[scales == 0] = 1
    values = np.rint(blocks / scales[..., None]) + _ZERO
    return values.astype(np.uint8), scales.astype(np.float32).reshape(-1)
