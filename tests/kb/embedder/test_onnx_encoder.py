"""The packaged model in ONNX Runtime: torch's vectors, whatever else is in the batch."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from services.kb.embedder import onnx_encoder
from services.kb.embedder.onnx_encoder import OnnxEncoder, adds_exactly, load_onnx
from services.kb.embedder.source import Source, UntrustedWeights, find
from services.kb.embedder.transformer import load_transformer
from tests.kb.processes import MODELS, ROOT

pytestmark = pytest.mark.process

TEXTS = [
    "To back up, stop the program, copy the folder data and start it again.",
    "备份的方法是先停止程序，复制数据目录，再重新启动。",
    "Ａ ﬁne ① line\nand another," * 40,
    "short",
]


def sections(lang: str) -> list[tuple[str, str]]:
    """(question, answer): some of the guide, which is the same in both languages."""
    pages = sorted((ROOT / "library" / "guide" / lang).glob("*.md"))
    text = "\n\n".join(page.read_text(encoding="utf-8") for page in pages)
    return re.findall(r"^## (.+)\n\n(.+)$", text, re.M)[::6]


@pytest.fixture(scope="module")
def source() -> Source:
    return find("multilingual-e5-small", None, MODELS)


@pytest.fixture(scope="module")
def encoder(source: Source) -> OnnxEncoder:
    return load_onnx(source, 0)


def test_vectors_are_those_of_the_float32_model(source: Source, encoder: OnnxEncoder) -> None:
    expected = load_transformer(source, 0)
    for kind in ("query", "passage"):
        one = encoder.encode(TEXTS, kind)
        other = expected.encode(TEXTS, kind)
        assert (one.vectors * other.vectors).sum(axis=1).min() > 0.9995
        assert one.tokens == other.tokens
    assert encoder.count(TEXTS) == expected.count(TEXTS)


@pytest.mark.parametrize("all_in_blocks", [False, True])
def test_likeness_across_languages_is_that_of_the_float32_model(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, all_in_blocks: bool
) -> None:
    """Cosines hardly differ between vectors; what tells passages apart is a small part of them."""
    monkeypatch.setattr(onnx_encoder, "adds_exactly", lambda: not all_in_blocks)
    questions, _ = zip(*sections("en"), strict=True)
    _, answers = zip(*sections("zh"), strict=True)
    likeness, wanted = (
        model.encode(questions, "query").vectors @ model.encode(answers, "passage").vectors.T
        for model in (
            load_onnx(Source(source.name, tmp_path / source.name, source.packed), 0),
            load_transformer(source, 0),
        )
    )
    strayed = likeness - wanted
    strayed -= strayed.mean(axis=1, keepdims=True)
    apart = wanted - wanted.mean(axis=1, keepdims=True)
    assert strayed.std() < 0.046 * apart.std()


def test_a_vector_does_not_depend_on_what_is_embedded_with_it(encoder: OnnxEncoder) -> None:
    together = encoder.encode(TEXTS, "passage").vectors
    alone = [encoder.encode([text], "passage").vectors[0] for text in TEXTS]
    assert np.array_equal(together, np.stack(alone))


def test_threads_may_encode_side_by_side(encoder: OnnxEncoder) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: encoder.encode([text], "query").vectors[0], TEXTS * 4))
    expected = encoder.encode(TEXTS, "query").vectors
    assert np.array_equal(np.stack(found), np.concatenate([expected] * 4))


def test_an_older_processor_gets_a_graph_that_it_computes_rightly(
    tmp_path: Path, source: Source, encoder: OnnxEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_encoder, "adds_exactly", lambda: False)
    other = load_onnx(Source(source.name, tmp_path / source.name, source.packed), 0)
    assert other.card.key != encoder.card.key
    near = other.encode(TEXTS, "query").vectors * encoder.encode(TEXTS, "query").vectors
    assert near.sum(axis=1).min() > 0.998


@pytest.mark.parametrize(
    ("machine", "flags", "exact"),
    [
        ("x86_64", "flags : avx2 avx512_vnni", True),
        ("x86_64", "flags : avx2 avx_vnni", True),
        ("x86_64", "flags : avx2 avx512f", False),
        ("aarch64", "Features : asimd", True),
    ],
)
def test_whether_sums_overflow_is_told_by_the_processor(
    tmp_path: Path, machine: str, flags: str, exact: bool
) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text(flags)
    assert adds_exactly(machine, info) is exact


def test_marks_in_a_text_are_text(encoder: OnnxEncoder) -> None:
    assert encoder.count(["</s>"])[0] > 1


def test_a_damaged_graph_is_written_again(tmp_path: Path, source: Source) -> None:
    own = Source(source.name, tmp_path / source.name, source.packed, source.sha256)
    vector = load_onnx(own, 0).encode(TEXTS[:1], "query").vectors
    (graph,) = tmp_path.glob("*/encoder.onnx")
    folder = graph.parent
    graph.write_bytes(graph.read_bytes()[:-1000])
    assert np.array_equal(load_onnx(own, 0).encode(TEXTS[:1], "query").vectors, vector)
    assert json.loads((folder / "manifest.json").read_text())["weights"]


def test_weights_that_are_not_the_pinned_ones_are_refused(tmp_path: Path) -> None:
    packed = tmp_path / "other.bin"
    packed.write_bytes(b"E5S1 of somebody else")
    with pytest.raises(UntrustedWeights, match="sha256"):
        load_onnx(Source("other", tmp_path / "other", packed), 0)
