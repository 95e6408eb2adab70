"""The packaged weights: read right, written once, and refused when they are not the pinned ones."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from services.kb.embedder.source import Source, UntrustedWeights, find, prepare
from services.kb.embedder.weights import DamagedWeights, PackedWeights, open_packed
from services.kernel.errors import ConfigurationError
from tests.kb.processes import MODELS

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def packaged() -> Source:
    source = find("multilingual-e5-small", None, MODELS)
    prepare(source)
    return source


def tensor(folder: Path, name: str) -> np.ndarray:
    """A tensor of a safetensors file, by the format's own description."""
    with (folder / "model.safetensors").open("rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
        start, end = header[name]["data_offsets"]
        file.seek(8 + size + start)
        return np.frombuffer(file.read(end - start), "<f4").reshape(header[name]["shape"])


def test_the_table_gives_the_numbers_that_the_folder_holds(packaged: Source) -> None:
    assert packaged.packed is not None
    table = open_packed(packaged.packed).table("emb.word", 384)
    written = tensor(packaged.folder, "embeddings.word_embeddings.weight")
    ids = np.array([0, 1, 31, 8191, 8192, 250_036, 7])
    assert np.array_equal(table.rows(ids), written[ids])


def test_the_vocabulary_is_that_of_xlm_roberta(packaged: Source) -> None:
    assert packaged.packed is not None
    weights = open_packed(packaged.packed)
    assert weights.shape.layers == 12
    assert weights.vocabulary.pieces[:4] == ["<s>", "<pad>", "</s>", "<unk>"]
    assert len(weights.vocabulary.pieces) == len(weights.vocabulary.scores) > 250_000


@pytest.mark.parametrize("data", [b"", b"E5S1", b"E5S1\x02\0\0\0" + b"\0" * 64, b"nothing like it"])
def test_what_is_not_such_a_file_is_refused(data: bytes) -> None:
    with pytest.raises(DamagedWeights):
        PackedWeights(data)


def test_weights_with_another_digest_are_refused(tmp_path: Path) -> None:
    packed = tmp_path / "other.bin"
    packed.write_bytes(b"E5S1 of somebody else")
    with pytest.raises(UntrustedWeights, match="sha256"):
        prepare(Source("other", tmp_path / "folder", packed, "0" * 64))
    assert not (tmp_path / "folder").exists()


def test_a_folder_of_ones_own_needs_no_pin_and_has_a_digest(tmp_path: Path) -> None:
    (tmp_path / "modules.json").write_text("[]")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    source = find("multilingual-e5-small", tmp_path, tmp_path)
    assert len(prepare(source)) == 64


def test_a_folder_that_is_no_model_is_a_bad_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="KB_MODEL_PATH"):
        find("multilingual-e5-small", tmp_path, tmp_path)


def test_the_english_model_comes_out_of_its_package(tmp_path: Path) -> None:
    source = find("all-MiniLM-L6-v2", None, tmp_path)
    assert prepare(source) == source.sha256
